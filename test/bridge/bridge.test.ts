// The bridge against real brokers: what is acknowledged is stored, in order, once.
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest';
import { startTestBridge, untilReady } from '../support/bridges.ts';
import { brokers, type TestBroker } from '../support/brokers.ts';
import { startHandler, type TestHandler } from '../support/handler.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';

async function metricsOf(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  return response.text();
}

for (const { name, version, available, start } of brokers) {
  describe.skipIf(!available)(`with ${name}`, () => {
    let broker: TestBroker;
    let handler: TestHandler;
    let device: MqttClient;
    let prefix = 0;

    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker?.stop());
    beforeEach(async () => {
      handler = await startHandler();
      device = await mqtt.connectAsync(broker.url, { protocolVersion: version });
      // A session of its own for each test.
      prefix++;
    });
    afterEach(async () => {
      await device.endAsync(true);
      await handler.close();
    });

    const bridgeOf = (input: Partial<Parameters<typeof startTestBridge>[0]> = {}) =>
      startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: handler.url,
        ...input,
        broker: { clientIdPrefix: `test${prefix}`, protocolVersion: version, ...input.broker },
      });
    const subjects = () => handler.stored.map(({ subject, data }) => `${subject}=${data}`);

    test('a message of QoS 0 or 1 reaches the handler as an envelope', async () => {
      await untilReady(await bridgeOf());
      await device.publishAsync('rooms/kitchen', '{"celsius":21.5}', { qos: 1 });
      await device.publishAsync('rooms/office', Buffer.from([0xff, 0x00]), { qos: 0 });
      await until(() => handler.stored.length === 2);
      expect(handler.requests[0]?.headers['content-type']).toBe(
        'application/cloudevents-batch+json',
      );
      const bySubject = new Map(handler.stored.map((event) => [event.subject, event]));
      expect(bySubject.get('rooms/kitchen')).toMatchObject({
        data: { celsius: 21.5 },
        qos: 1,
        retain: false,
      });
      expect(bySubject.get('rooms/office')).toMatchObject({ data_base64: '/wA=', qos: 0 });
    });

    test('the PUBACK leaves only after the handler’s 2xx: a bridge that goes before it gets the message again', async () => {
      handler.answer = () => {};
      const first = await bridgeOf({ drainTimeoutMs: 50 });
      await untilReady(first);
      await device.publishAsync('a', '1', { qos: 1 });
      await until(() => handler.requests.length === 1);
      await first.drain();
      expect(subjects()).toEqual([]);

      handler.answer = (_, response) => void response.end();
      const second = await bridgeOf();
      await until(() => handler.stored.length === 1);
      expect(handler.stored[0]).toMatchObject({ subject: 'a', data: '1', possibleduplicate: true });
      await second.drain();

      // Acknowledged this time: a third bridge gets only what came since.
      await device.publishAsync('a', '2', { qos: 1 });
      await untilReady(await bridgeOf());
      await until(() => handler.stored.length === 2);
      expect(subjects()).toEqual(['a=1', 'a=2']);
    });

    test('messages that arrive while the bridge is away wait at the broker', async () => {
      const first = await bridgeOf();
      await untilReady(first);
      await first.drain();
      for (let number = 0; number < 50; number++)
        await device.publishAsync('b', String(number), { qos: 1 });
      await untilReady(await bridgeOf());
      await until(() => handler.stored.length === 50);
      expect(subjects()).toEqual(Array.from({ length: 50 }, (_, number) => `b=${number}`));
    });

    test('a handler that fails is tried again, in order, and each message is sent with one id', async () => {
      let failures = 3;
      handler.answer = (_, response) => {
        response.statusCode = failures-- > 0 ? 503 : 200;
        response.end();
      };
      const bridge = await bridgeOf();
      await untilReady(bridge);
      for (let number = 0; number < 5; number++)
        await device.publishAsync('c', String(number), { qos: 1 });
      await until(() => handler.stored.length === 5);
      expect(subjects()).toEqual(Array.from({ length: 5 }, (_, number) => `c=${number}`));
      const ids = new Set(handler.requests.flatMap(({ events }) => events.map(({ id }) => id)));
      expect(ids.size).toBe(5);
      await until(() => bridge.status().ready);
    });

    test('only the messages that failed are sent again', async () => {
      const tries = new Map<string, number>();
      handler.answer = ({ events }, response) => {
        for (const { id } of events) tries.set(id, (tries.get(id) ?? 0) + 1);
        const failed = events.filter(({ id, data }) => data === 'bad' && tries.get(id) === 1);
        response.end(
          JSON.stringify({ batchItemFailures: failed.map(({ id }) => ({ itemIdentifier: id })) }),
        );
      };
      await untilReady(await bridgeOf({ route: { lingerMs: 50 } }));
      await Promise.all(
        ['ok', 'bad', 'fine'].map((text, index) =>
          device.publishAsync(`d/${index}`, text, { qos: 1 }),
        ),
      );
      await until(() => [...tries.values()].reduce((sum, count) => sum + count, 0) === 4);
      expect([...tries.values()].sort()).toEqual([1, 1, 2]);
    });

    test('no more than the window is taken from the broker while the handler hangs', async () => {
      handler.answer = () => {};
      await untilReady(
        await bridgeOf({ route: { window: 10, maxBatch: 1, concurrency: 100 }, drainTimeoutMs: 0 }),
      );
      for (let number = 0; number < 50; number++)
        await device.publishAsync(`e/${number}`, 'x', { qos: 1 });
      await until(() => handler.requests.length === 10);
      await delay(200);
      expect(handler.requests).toHaveLength(10);
    });

    test('a connection that breaks while the handler is slow: nothing is sent twice, everything is acknowledged', async () => {
      const waiting: (() => void)[] = [];
      handler.answer = (_, response) => void waiting.push(() => response.end());
      const bridge = await bridgeOf({ route: { maxBatch: 1 } });
      await untilReady(bridge);
      await device.publishAsync('f/1', 'x', { qos: 1 });
      await device.publishAsync('f/2', 'x', { qos: 1 });
      await until(() => waiting.length === 2);
      // Takes the session over, and gives it back: the bridge has to come again and finds its session.
      const thief = mqtt.connect(broker.url, {
        clientId: `test${prefix}-store-0`,
        clean: false,
        protocolVersion: version,
        reconnectPeriod: 0,
        ...(version === 5 && { properties: { sessionExpiryInterval: 1000, receiveMaximum: 1 } }),
      });
      // Before its first packet: it must not acknowledge what it gets.
      thief.handleMessage = () => {};
      await new Promise<void>((resolve) => thief.once('connect', () => resolve()));
      // The bridge may have been faster, and taken it back already.
      await until(() => !bridge.status().ready || !thief.connected);
      // One answer before the bridge is back, one after: both PUBACKs leave on the new connection.
      waiting[0]?.();
      await thief.endAsync(true);
      await until(() => bridge.status().ready);
      waiting[1]?.();
      await until(() => handler.stored.length === 2);
      handler.answer = (_, response) => void response.end();
      // Ready is sooner than redelivered. What is new comes after that: now both have been acknowledged.
      await device.publishAsync('f/3', 'x', { qos: 1 });
      await until(() => handler.stored.some(({ subject }) => subject === 'f/3'));
      await bridge.drain();
      const next = await bridgeOf();
      await untilReady(next);
      await device.publishAsync('f/4', 'x', { qos: 1 });
      await until(() => handler.stored.some(({ subject }) => subject === 'f/4'));
      expect(
        handler.requests.flatMap(({ events }) => events.map(({ subject }) => subject)).sort(),
      ).toEqual(['f/1', 'f/2', 'f/3', 'f/4']);
    });

    test('of two bridges with one config, one holds the session; a clean stop hands it over', async () => {
      const table = await startTable();
      onTestFinished(() => table.close());
      const first = await bridgeOf({ table });
      await until(async () =>
        (await metricsOf(first.url)).includes('active_sessions{route="store"} 1'),
      );
      const second = await bridgeOf({ table });
      await device.publishAsync('g', '1', { qos: 1 });
      await until(() => handler.stored.length === 1);
      // A standby is ready, and does not hold the session.
      expect(second.status()).toEqual({ ready: true, problems: [] });
      expect(await metricsOf(second.url)).toContain('causeway_active_sessions{route="store"} 0');
      await first.drain();
      await device.publishAsync('g', '2', { qos: 1 });
      await until(() => handler.stored.length === 2);
      expect(await metricsOf(second.url)).toContain(
        'causeway_delivered_messages_total{route="store"} 1',
      );
      await second.drain();
    });

    test('a broker that is away is waited for, and said', async () => {
      const bridge = await startTestBridge({
        brokerUrl: 'mqtt://127.0.0.1:1',
        handlerUrl: handler.url,
      });
      await until(() => bridge.status().problems.some((line) => line.includes('ECONNREFUSED')));
      const ready = await fetch(`${bridge.url}/readyz`);
      expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'not ready' }]);
      expect((await fetch(`${bridge.url}/healthz`)).status).toBe(200);
      onTestFinished(() => bridge.drain());
    });
  });
}
