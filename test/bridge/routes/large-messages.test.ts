// PUBLISHes that are larger than any request of their route: they become dead letters as they come.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { type BridgeInput, startTestBridge, untilReady } from '../../support/bridges.ts';
import { brokers, startEmbedded, type TestBroker, temporaryFolder } from '../../support/brokers.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { until } from '../../support/wait.ts';

let handler: TestHandler;
let folder: string;
beforeEach(async () => {
  handler = await startHandler();
  onTestFinished(() => handler.close());
  folder = temporaryFolder('quarantine');
});

const route = { maxBatchBytes: 100_000 };
const payloads = [0, 1, 2, 3].map(() => randomBytes(600_000));
const large = (nth: number) => payloads[nth] ?? Buffer.alloc(0);

const letters = () =>
  readdirSync(folder)
    .filter((name) => /[0-9a-f]{32}\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));

const isDeadLetterOf = (payload: Buffer) =>
  letters().some(({ envelope }) => Buffer.from(envelope.data_base64, 'base64').equals(payload));

/** Starts a bridge between broker and handler, and waits until it is ready; resolves with a device at the broker. */
async function startBridgeAndDevice(
  broker: TestBroker,
  protocolVersion: 4 | 5,
  options: Partial<BridgeInput> = {},
): Promise<MqttClient> {
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: handler.url,
    broker: { protocolVersion },
    route,
    quarantineFolder: folder,
    ...options,
  });
  await untilReady(bridge);
  const device = await mqtt.connectAsync(broker.url, { protocolVersion });
  onTestFinished(() => device.endAsync(true));
  return device;
}

for (const { name, version, available, start } of brokers) {
  test.skipIf(!available)(
    `${name}: large ones are kept, and what is beside them flows`,
    async () => {
      const broker = await start();
      onTestFinished(() => broker.stop());
      const device = await startBridgeAndDevice(broker, version);
      await device.publishAsync('a', 'before', { qos: 1 });
      await device.publishAsync('a', large(1), { qos: 1 });
      await device.publishAsync('b', 'between', { qos: 1 });
      await device.publishAsync('a', large(2), { qos: 1 });
      await device.publishAsync('b', large(3), { qos: 0 });
      await device.publishAsync('a', 'after', { qos: 1 });
      await until(() => handler.stored.length === 3 && letters().length === 3);
      expect(handler.stored.map(({ data }) => data)).toEqual(['before', 'between', 'after']);
      for (const nth of [1, 2, 3]) expect(isDeadLetterOf(large(nth))).toBe(true);
      expect(letters()[0]).toMatchObject({
        route: 'store',
        reason: 'it takes 600000 bytes, and a request 100000',
        attempts: 0,
      });
      expect(readdirSync(folder).filter((file) => file.endsWith('.part'))).toEqual([]);
    },
  );

  test.skipIf(!available)(
    `${name}: cut off within one, it comes again, whole and once`,
    async () => {
      const broker = await start();
      onTestFinished(() => broker.stop());
      const cut = await startCuttingProxy(broker.port, 300_000, 2);
      const device = await startBridgeAndDevice(broker, version, { brokerUrl: cut.url });
      await device.publishAsync('a', large(1), { qos: 1 });
      await device.publishAsync('a', 'after', { qos: 1 });
      await until(() => handler.stored.length === 1 && letters().length === 1, {
        timeoutMs: 20_000,
      });
      expect(cut.cuts).toBe(2);
      expect(isDeadLetterOf(large(1))).toBe(true);
    },
  );
}

test('a store of dead letters that is away: the message comes again until it is kept', async () => {
  const broker = await startEmbedded();
  onTestFinished(() => broker.stop());
  const lines: string[] = [];
  const device = await startBridgeAndDevice(broker, 4, {
    route: { ...route, retry: { baseMs: 1, capMs: 10 } },
    onLog: (line) => lines.push(line),
  });
  // Nobody can write a file into a file.
  renameSync(folder, `${folder}-away`);
  writeFileSync(folder, '');
  await device.publishAsync('a', large(1), { qos: 1 });
  const failures = () =>
    lines.filter((line) => line.includes('a dead letter cannot be kept')).length;
  await until(() => failures() >= 2);
  rmSync(folder);
  renameSync(`${folder}-away`, folder);
  await until(() => letters().length === 1);
  expect(isDeadLetterOf(large(1))).toBe(true);
});

/** Ends each of the first `cuts` connections that the broker has sent so many bytes on. */
async function startCuttingProxy(port: number, afterBytes: number, cuts: number) {
  const proxy = { url: '', cuts: 0 };
  const server = createServer((client) => {
    const broker = connect(port, '127.0.0.1');
    let bytes = 0;
    for (const socket of [client, broker]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        broker.destroy();
      });
    }
    client.pipe(broker);
    broker.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > afterBytes && proxy.cuts < cuts) {
        proxy.cuts++;
        client.destroy();
      } else if (!client.write(chunk)) {
        broker.pause();
        client.once('drain', () => broker.resume());
      }
    });
  });
  proxy.url = `mqtt://127.0.0.1:${await listenDuringTest(server)}`;
  return proxy;
}
