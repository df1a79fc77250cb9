// Routes that are paused, resumed and disabled: real brokers, a real HTTP handler, a table, and bridges that die.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
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
import { tableRouteStates } from '../../../bridge/routes/route-state-table.ts';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import {
  brokers,
  hasMosquitto,
  needsMosquitto,
  startMosquitto,
  type TestBroker,
  temporaryFolder,
} from '../../support/brokers.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { askRoutes as ask, statusOf, routeToken as token } from '../../support/route-control.ts';
import { programFile } from '../../support/started-once.ts';
import { startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

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
        token,
        ...input,
        broker: { clientIdPrefix: `pause${prefix}`, protocolVersion: version, ...input.broker },
      });
    const numbers = () => handler.stored.map(({ data }) => Number(data));
    const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);
    const publish = (from: number, to: number) =>
      Promise.all(
        upTo(to - from).map((offset) =>
          device.publishAsync('a', String(from + offset), { qos: 1 }),
        ),
      );
    const answering = (status: number) => {
      handler.answer = (_, response) => void response.writeHead(status).end();
    };

    test('410 disables the route, over a restart too, until it is resumed; the backlog comes in order', async () => {
      const folder = join(temporaryFolder('pause'), 'quarantine');
      answering(410);
      const first = await bridgeOf({ quarantineFolder: folder, route: { window: 10 } });
      await untilReady(first);
      await publish(0, 5);
      await until(() => first.status().problems.length === 1);
      expect(first.status().problems).toEqual(['route store: disabled: the handler answered 410']);
      expect(await statusOf(first.url)).toMatchObject({
        state: 'disabled',
        reason: 'the handler answered 410',
        sessions: [{ state: 'active' }],
        lastError: { status: 410, reason: 'the handler answered 410' },
      });
      const asked = handler.requests.length;
      await publish(5, 50);
      await until(async () => (await statusOf(first.url)).unsettledMessages === 10);
      await first.drain();
      answering(200);

      const second = await bridgeOf({ quarantineFolder: folder, route: { window: 10 } });
      await until(async () => (await statusOf(second.url)).unsettledMessages === 10);
      await until(async () => (await statusOf(second.url)).state === 'disabled');
      expect(handler.requests).toHaveLength(asked);
      const { body } = await ask(second.url, '/resume', { name: 'store', by: 'token:a' });
      expect(body).toMatchObject({ state: 'active', by: 'token:a' });
      await until(() => handler.stored.length === 50);
      expect(numbers()).toEqual(upTo(50));
      await untilReady(second);
    });

    test('under load: no request starts after the answer to a pause, and nothing is lost', async () => {
      const waiting: (() => void)[] = [];
      let isSlow = true;
      handler.answer = async (_, response) => {
        if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
        response.end();
      };
      const bridge = await bridgeOf({
        quarantineFolder: join(temporaryFolder('pause'), 'quarantine'),
        route: { maxBatch: 5, lingerMs: 0 },
      });
      await untilReady(bridge);
      await publish(0, 30);
      await until(() => waiting.length > 0);
      const { status, body } = await ask(bridge.url, '/pause', { name: 'store', by: 'token:a' });
      expect([status, body]).toMatchObject([200, { state: 'paused', by: 'token:a' }]);
      const asked = handler.requests.length;
      await publish(30, 60);
      for (const resolve of waiting.splice(0)) resolve();
      await until(() => handler.stored.length > 0);
      await until(async () => (await statusOf(bridge.url)).requestsInFlight === 0);
      await delay(100);
      expect(handler.requests).toHaveLength(asked);
      // Somebody's wish is no problem.
      expect(bridge.status()).toEqual({ ready: true, problems: [] });
      const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
      expect(metrics).toContain('causeway_route_paused{route="store"} 1');
      isSlow = false;
      await ask(bridge.url, '/resume', { name: 'store' });
      await until(() => handler.stored.length === 60);
      expect(numbers()).toEqual(upTo(60));
    });

    test('a bridge that stops while it is paused does not wait for its messages', async () => {
      const bridge = await bridgeOf({
        quarantineFolder: join(temporaryFolder('pause'), 'quarantine'),
        drainTimeoutMs: 60_000,
      });
      await untilReady(bridge);
      await ask(bridge.url, '/pause', { name: 'store' });
      await publish(0, 5);
      await until(async () => (await statusOf(bridge.url)).unsettledMessages === 5);
      await bridge.drain();
      expect(handler.requests).toEqual([]);
    });

    /** Two bridges with one table: the first has the session. */
    async function withStandby() {
      const table = await startTable();
      onTestFinished(() => table.close());
      const first = await bridgeOf({ table });
      await until(async () => (await statusOf(first.url)).sessions[0]?.state === 'active');
      const second = await bridgeOf({ table });
      await until(async () => (await statusOf(second.url)).state === 'standby');
      return { table, first, second };
    }

    test('a standby knows of it when it takes over, and a change at any bridge is one for all', async () => {
      const { first, second } = await withStandby();
      // The one that has no session is told; the other one sends nothing from the answer on.
      expect((await ask(second.url, '/pause', { name: 'store' })).body).toMatchObject({
        state: 'paused',
        sessions: [{ state: 'standby' }],
      });
      await publish(0, 5);
      await until(async () => (await statusOf(first.url)).unsettledMessages === 5);
      await first.drain();
      await until(async () => (await statusOf(second.url)).unsettledMessages === 5);
      expect(handler.requests).toEqual([]);
      await ask(second.url, '/resume', { name: 'store' });
      await until(() => handler.stored.length === 5);
      expect(numbers()).toEqual(upTo(5));
    });

    test('a bridge that takes over knows at once that the handler wants no more', async () => {
      const { table, first, second } = await withStandby();
      answering(410);
      await publish(0, 1);
      const { read } = tableRouteStates(table.tableName, table.client, `pause${prefix}`);
      await until(async () => (await read()).get('store')?.kind === 'disabled');
      const asked = handler.requests.length;
      await first.drain();
      await until(async () => (await statusOf(second.url)).unsettledMessages === 1);
      await until(async () => (await statusOf(second.url)).state === 'disabled');
      expect(handler.requests).toHaveLength(asked);
    });
  });
}

describe.skipIf(!hasMosquitto)(`killed ${hasMosquitto ? '' : needsMosquitto}`.trim(), () => {
  test('while it is paused, a bridge is paused when it comes again, and nothing is lost', async () => {
    const broker = await startMosquitto();
    onTestFinished(() => broker.stop());
    const handler = await startHandler();
    onTestFinished(() => handler.close());
    const config = {
      broker: { url: broker.url },
      http: { port: 0, token },
      routes: [{ name: 'store', filter: '#', url: handler.url, allowPrivate: true }],
      quarantineFolder: join(temporaryFolder('pause'), 'quarantine'),
    };
    const device = await mqtt.connectAsync(broker.url);
    onTestFinished(() => device.endAsync(true));
    const first = await startProcess(config);
    await until(async () => (await statusOf(first.url)).state === 'active');
    await ask(first.url, '/pause', { name: 'store', by: 'token:a' });
    for (let number = 0; number < 20; number++)
      await device.publishAsync('a', String(number), { qos: 1 });
    await until(async () => (await statusOf(first.url)).unsettledMessages > 0);
    first.kill();

    const second = await startProcess(config);
    await until(async () => (await statusOf(second.url)).unsettledMessages === 20);
    // Until the state has been read nothing is sent either.
    await until(async () => (await statusOf(second.url)).state !== 'unknown');
    expect(await statusOf(second.url)).toMatchObject({ state: 'paused', by: 'token:a' });
    expect(handler.requests).toEqual([]);
    await ask(second.url, '/resume', { name: 'store' });
    await until(() => handler.stored.length === 20);
    expect(handler.stored.map(({ data }) => Number(data))).toEqual(
      Array.from({ length: 20 }, (_, number) => number),
    );
  });
});

/** A bridge as a process, that can be killed. */
async function startProcess(config: object) {
  const child = spawn(process.execPath, [await programFile('bridge')], {
    env: { PATH: process.env['PATH'], CAUSEWAY_CONFIG: JSON.stringify(config) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => void child.kill('SIGKILL');
  onTestFinished(kill);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return { url: await until(() => /"url":"(http:[^"]+)"/.exec(output)?.[1]), kill };
}

describe('asked over HTTP', () => {
  test('a bridge takes its token alone, and its routes alone', async () => {
    const bridge = await startTestBridge({
      brokerUrl: 'mqtt://127.0.0.1:1',
      handlerUrl: 'http://127.0.0.1:1/secret-path?key=secret',
      quarantineFolder: join(temporaryFolder('pause'), 'quarantine'),
      token,
    });
    expect((await ask(bridge.url, '', undefined, 'wrong')).status).toBe(401);
    expect((await ask(bridge.url, '/pause', { name: 'store' }, 'wrong')).status).toBe(401);
    expect((await ask(bridge.url, '/pause', { name: 'nobody' })).status).toBe(404);
    for (const wrong of [
      {},
      { name: '' },
      { name: 'x'.repeat(41) },
      { name: 7 },
      { name: 'store', all: true },
    ])
      expect((await ask(bridge.url, '/pause', wrong)).status).toBe(400);
    await until(async () => (await statusOf(bridge.url)).state === 'disconnected');
    const status = await statusOf(bridge.url);
    expect(status).toMatchObject({ name: 'store', filter: '#', handler: '127.0.0.1:1' });
    expect(JSON.stringify(status)).not.toContain('secret');
  });
});
