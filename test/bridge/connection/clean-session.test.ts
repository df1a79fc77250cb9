// A broker that keeps no sessions: the bridge asks for none where its config says so.
import { expect, test } from 'vitest';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { startScriptedBroker } from './scripted-broker.ts';

test.each([
  [true, undefined],
  [false, 7 * 86_400],
])('cleanSession %s: the broker keeps it for %s seconds', async (cleanSession, seconds) => {
  const broker = await startScriptedBroker((packet) => {
    if (packet.cmd === 'connect') return { cmd: 'connack', reasonCode: 0, sessionPresent: false };
    return packet.cmd === 'subscribe'
      ? { cmd: 'suback', messageId: packet.messageId ?? 0, granted: [1] }
      : undefined;
  });
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: 'https://handler.example',
    broker: { cleanSession },
  });
  await untilReady(bridge);
  const [connect] = broker.received;
  if (connect?.cmd !== 'connect') throw new Error('a CONNECT comes first');
  expect([connect.clean, connect.properties?.sessionExpiryInterval]).toEqual([
    cleanSession,
    seconds,
  ]);
});
