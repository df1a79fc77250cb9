// The bridge's own presence: online by itself, offline by itself or by its last will.
import { spawn } from 'node:child_process';
import mqtt from 'mqtt';
import type mqttPacket from 'mqtt-packet';
import type { IConnectPacket } from 'mqtt-packet';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { brokerSchema } from '../../../bridge/config/broker.ts';
import { startTestBridge } from '../../support/bridges.ts';
import { brokers } from '../../support/brokers.ts';
import { programFile } from '../../support/started-once.ts';
import { startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { keepSession } from './kept-session.ts';
import { startScriptedBroker } from './scripted-broker.ts';

const entry = await programFile('bridge');

/** A device that sees what is said on all status topics. */
async function watchStatus(url: string) {
  const seen: string[] = [];
  const device = await mqtt.connectAsync(url, { protocolVersion: 4 });
  onTestFinished(() => device.endAsync(true));
  device.on('message', (topic, payload) => void seen.push(`${topic} ${payload}`));
  await device.subscribeAsync('causeway/#', { qos: 1 });
  return { seen, device };
}

test.each([
  ['causeway/status', 'must contain {clientId}'],
  ['$share/{clientId}', 'must not start with $: those topics belong to the broker [MQTT-4.7.2-1]'],
  ['{clientId}/#', 'must not contain the wildcards + or # [MQTT-3.3.2-2]'],
])('the topic %s is refused', (topic, rule) => {
  const parsed = brokerSchema.safeParse({ url: 'mqtt://127.0.0.1', status: { topic } });
  expect(parsed.error?.issues).toMatchObject([{ path: ['status', 'topic'], message: rule }]);
});

for (const { name, available, start, version } of brokers) {
  describe.skipIf(!available)(`with ${name}`, () => {
    test('a bridge that is killed is offline by its will, one that stops by itself', async () => {
      const broker = await start();
      onTestFinished(() => broker.stop());
      const { seen } = await watchStatus(broker.url);
      const config = {
        broker: { url: broker.url, protocolVersion: version, status: {} },
        http: { port: 0 },
        routes: [{ name: 'store', filter: 'rooms/#', url: 'https://handler.example' }],
      };
      const killed = spawn(process.execPath, [entry], {
        env: { PATH: process.env['PATH'], CAUSEWAY_CONFIG: JSON.stringify(config) },
        stdio: 'ignore',
      });
      onTestFinished(() => void killed.kill('SIGKILL'));
      const ofStore = (said: string) => `causeway/causeway-store-0/status ${said}`;
      await until(() => seen.length === 1);
      killed.kill('SIGKILL');
      await until(() => seen.length === 2);
      expect(seen).toEqual([ofStore('online'), ofStore('offline')]);

      const table = await startTable();
      onTestFinished(() => table.close());
      const bridge = await startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: 'https://handler.example',
        broker: { protocolVersion: version, status: {} },
        route: { filter: 'rooms/#' },
        table,
      });
      const ofCommands = (said: string) => `causeway/causeway-commands/status ${said}`;
      const since = () => seen.slice(2).sort();
      await until(() => seen.length === 4);
      expect(since()).toEqual([ofCommands('online'), ofStore('online')]);
      await bridge.drain();
      await until(() => seen.length === 6);
      expect(since()).toEqual([
        ...['offline', 'online'].map(ofCommands),
        ...['offline', 'online'].map(ofStore),
      ]);
      // Retained for who comes later.
      const late = await watchStatus(broker.url);
      await until(() => late.seen.length === 2);
      expect(late.seen.sort()).toEqual([ofCommands('offline'), ofStore('offline')]);
    });

    test('the will of a predecessor that is thrown out comes before what its successor says', async () => {
      const broker = await start();
      onTestFinished(() => broker.stop());
      const { seen } = await watchStatus(broker.url);
      const topic = 'causeway/causeway-store-0/status';
      const predecessor = await mqtt.connectAsync(broker.url, {
        protocolVersion: version,
        clientId: 'causeway-store-0',
        clean: false,
        reconnectPeriod: 0,
        will: { topic, payload: Buffer.from('offline'), qos: 1, retain: true },
      });
      predecessor.on('error', () => {});
      const { links } = keepSession({ url: broker.url, protocolVersion: version, status: {} });
      await until(() => links.length === 1);
      await until(() => seen.length >= 2);
      expect(seen).toEqual([`${topic} offline`, `${topic} online`]);
      const late = await watchStatus(broker.url);
      await until(() => late.seen.length === 1);
      expect(late.seen).toEqual([`${topic} online`]);
    });
  });
}

test('online is said again when the will of a predecessor under another client id may have come', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const broker = await startScriptedBroker((packet) => {
    if (packet.cmd === 'connect') return { cmd: 'connack', reasonCode: 0, sessionPresent: false };
    return packet.cmd === 'publish'
      ? { cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 }
      : undefined;
  });
  const said = () => broker.received.filter(({ cmd }) => cmd === 'publish').length;
  const { links } = keepSession({ url: broker.url, keepaliveSeconds: 60, status: {} });
  await until(() => links.length === 1);
  expect(said()).toBe(1);
  // A broker closes after one and a half keep-alives [MQTT-3.1.2-22].
  vi.advanceTimersByTime(90_000);
  vi.advanceTimersByTime(30_000);
  await until(() => said() === 2);
  vi.useRealTimers();
});

describe('a broker that refuses it', () => {
  const accepted = { cmd: 'connack', reasonCode: 0, sessionPresent: false } as const;
  const errors = (lines: readonly Record<string, unknown>[]) =>
    lines.filter(({ level }) => level === 50);

  test.each(['refused', 'closed'] as const)(
    'as a will (%s): the session goes on without',
    async (way) => {
      const broker = await startScriptedBroker((packet) => {
        if (packet.cmd !== 'connect') return undefined;
        if (packet.will === undefined) return accepted;
        return way === 'closed' ? 'close' : { ...accepted, reasonCode: 0x87 };
      });
      const { links, lines } = keepSession({ url: broker.url, status: {} });
      await until(() => links.length === 1);
      expect(connectsOf(broker.received).map(({ will }) => will?.topic)).toEqual([
        'causeway/causeway-store-0/status',
        'causeway/causeway-store-0/status',
        undefined,
      ]);
      expect(errors(lines)).toMatchObject([
        { msg: 'the broker refuses the status: going on without it' },
      ]);
    },
  );

  test('as a publish, with a PUBACK: the session goes on, and the log says so once', async () => {
    const broker = await startScriptedBroker((packet) => {
      if (packet.cmd === 'connect') return accepted;
      return packet.cmd === 'publish'
        ? { cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x87 }
        : undefined;
    });
    const { links, lines, stop } = keepSession({ url: broker.url, status: {} });
    await until(() => links.length === 1);
    await stop();
    expect(errors(lines)).toMatchObject([
      { reason: 'the broker refused it with 0x87 (Not authorized)' },
    ]);
  });

  test('as a publish, by closing: the session goes on without', async () => {
    const broker = await startScriptedBroker((packet) => {
      if (packet.cmd === 'connect') return accepted;
      return packet.cmd === 'publish' ? 'close' : undefined;
    });
    const { links, lines } = keepSession({ url: broker.url, status: {} });
    await until(() => links.length === 1);
    expect(connectsOf(broker.received).map(({ will }) => will === undefined)).toEqual([
      false,
      false,
      true,
    ]);
    expect(errors(lines)).toHaveLength(1);
  });
});

test('will and publishes are as configured, and leave one publish less to others', async () => {
  const broker = await startScriptedBroker((packet) => {
    if (packet.cmd === 'connect')
      return {
        cmd: 'connack',
        reasonCode: 0,
        sessionPresent: false,
        properties: { receiveMaximum: 20 },
      };
    return undefined;
  });
  const status = {
    topic: 'up/{clientId}',
    online: '1',
    offline: '0',
    qos: 0,
    retain: false,
  } as const;
  const { links, stop } = keepSession({ url: broker.url, status });
  await until(() => links.length === 1);
  expect(links[0]?.broker.receiveMaximum).toBe(20);
  await stop();
  await until(() => broker.received.some(({ cmd }) => cmd === 'disconnect'));
  const [connect, online, offline, end] = broker.received;
  expect(connect).toMatchObject({ will: { topic: 'up/causeway-store-0', qos: 0, retain: false } });
  const said = { cmd: 'publish', topic: 'up/causeway-store-0', qos: 0, retain: false };
  expect([online, offline]).toMatchObject([
    { ...said, payload: Buffer.from('1') },
    { ...said, payload: Buffer.from('0') },
  ]);
  expect(end).toMatchObject({ cmd: 'disconnect' });
});

function connectsOf(packets: readonly mqttPacket.Packet[]): IConnectPacket[] {
  return packets.filter((packet): packet is IConnectPacket => packet.cmd === 'connect');
}
