// Devices say the same again and again. What is equal is not what comes again: nothing may be taken for a
// redelivery that is none, over restarts of the bridge with the embedded broker, whose packet ids start again.
import mqtt from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { createIngest } from '../../functions/ingest/ingest.ts';
import { createStore } from '../../functions/ingest/storing/message-store.ts';
import { startTestBridge, untilReady } from '../support/bridges.ts';
import { startEmbedded } from '../support/brokers.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';
import { startFaultyHandler } from './rig/handler.ts';
import { keptInTable } from './rig/kept.ts';
import { scaled } from './rig/random.ts';

test('equal messages are stored as often as they were sent, over restarts of the bridge', async () => {
  const broker = await startEmbedded();
  onTestFinished(() => broker.stop());
  const table = await startTable();
  onTestFinished(() => table.close());
  const store = createStore({ client: table.client, tableName: table.tableName, retentionDays: 3 });
  const handler = await startFaultyHandler(createIngest({ store }));
  onTestFinished(() => handler.close());
  const device = await mqtt.connectAsync(broker.url);
  onTestFinished(() => device.endAsync(true));

  let published = 0;
  const publish = async (count: number) => {
    await Promise.all(
      Array.from({ length: count }, () => device.publishAsync('door', 'open', { qos: 1 })),
    );
    published += count;
  };
  const start = async () => {
    const bridge = await startTestBridge({
      brokerUrl: broker.url,
      handlerUrl: handler.url,
      broker: { protocolVersion: 4 },
    });
    await untilReady(bridge);
    return bridge;
  };

  const stored = async () => (await keptInTable(table.client, table.tableName)).stored.length;
  const restarts = scaled(20);
  for (let restart = 0; restart < restarts; restart++) {
    const bridge = await start();
    await publish(restart === 0 ? 1500 : 100);
    await until(async () => (await stored()) >= published, { what: `${published} stored` });
    await bridge.drain();
  }
  console.log(
    `equal messages: published ${published}, stored ${await stored()}; ${restarts} restarts`,
  );
  expect(await stored()).toBe(published);
});
