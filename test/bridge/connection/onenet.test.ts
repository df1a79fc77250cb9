// The whole bridge on OneNET, by tokens and by the older API keys: let in, refused, renewed, recovered.
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Secrets } from '../../../bridge/base/secrets.ts';
import {
  connectDevice,
  deviceKey,
  lamp,
  olderClientIds,
  olderLamp,
  olderPlatform,
  productId,
  productKey,
  startOn,
  startPlatform,
  tokenPlatform,
  untilReady,
} from '../../support/onenet-bridge.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { startFakeSecretsManager } from '../fake-secrets-manager.ts';

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

describe('with tokens', () => {
  const sha256 = { platform: 'token', productId, key: productKey } as const;

  test.each([
    ["the product's key, sha256", sha256],
    ["the product's key, md5", { ...sha256, method: 'md5' }],
    [
      "each device's own key, sha1",
      {
        platform: 'token',
        productId,
        keyOf: 'device',
        method: 'sha1',
        deviceKeys: {
          'causeway-store-0': deviceKey('causeway-store-0'),
          'causeway-commands': deviceKey('causeway-commands'),
        },
      },
    ],
  ] as const)('data goes up: %s', async (_, onenet) => {
    const broker = await startPlatform(tokenPlatform());
    const started = await startOn(broker, { onenet, cleanSession: true }, { table });
    await untilReady(started);
    const device = await connectDevice(broker, lamp());
    const topic = `$sys/${productId}/lamp/dp/post/json`;
    await device.publishAsync(topic, '{"id":1,"dp":{}}', { qos: 1 });
    await until(() => started.handler.stored.length === 1);
    expect(started.handler.stored[0]).toMatchObject({
      subject: topic,
      source: `${broker.url}/causeway-store-0`,
      data: { id: 1, dp: {} },
    });
    expect(broker.violations).toEqual([]);
    expect(started.lines.join()).not.toContain('sign=');
  });

  test('names that the platform gave out stand for ours', async () => {
    const devices = { 'gateway.1': deviceKey('a'), 'gateway.2': deviceKey('b') };
    const backEnds = Object.keys(devices);
    const broker = await startPlatform(tokenPlatform({ devices, backEnds }));
    const clientIds = { 'store-0': 'gateway.1', commands: 'gateway.2' };
    const settings = { onenet: sha256, clientIds, cleanSession: true };
    await untilReady(await startOn(broker, settings, { table }));
    expect(broker.online().sort()).toEqual(['gateway.1', 'gateway.2']);
  });

  test("as OneNET's own cloud has it, a device sees its own topics alone", async () => {
    const broker = await startPlatform(tokenPlatform({ backEnds: [] }));
    const filter = `$sys/${productId}/causeway-store-0/cmd/request/+`;
    const settings = { onenet: sha256, cleanSession: true };
    const started = await startOn(broker, settings, { table, filter });
    await untilReady(started);
    broker.publish(filter.replace('+', 'c1'), 'restart');
    await until(() => started.handler.stored.length === 1);
    expect(broker.violations).toEqual([]);
  });

  test('a token is renewed before it expires: the broker sees none that has, nothing is lost or doubled', async () => {
    const broker = await startPlatform(tokenPlatform({ keepsSessions: true }));
    const onenet = { ...sha256, tokenSeconds: 6 };
    const started = await startOn(broker, { onenet }, { table });
    await untilReady(started);
    const device = await connectDevice(broker, lamp());
    const connects = (id: string) =>
      broker.connects.filter(({ clientId }) => clientId === id).length;
    let count = 0;
    await until(
      async () => {
        await device.publishAsync(`$sys/${productId}/lamp/dp/post/json`, `${count++}`, { qos: 1 });
        return connects('causeway-store-0') >= 2 && connects('causeway-commands') >= 2;
      },
      { what: 'both connections are replaced' },
    );
    await until(() => started.handler.stored.length >= count);
    const numbers = started.handler.stored.map(({ data }) => Number(data));
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index));
    expect([broker.expired, broker.violations]).toEqual([0, []]);
    expect(broker.connects.every(({ refusal }) => refusal === undefined)).toBe(true);
    expect(started.lines.join()).not.toContain('not connected to the broker');
  });

  test('a wrong key shows, and once it is mended in the secret the bridge gets in', async () => {
    const broker = await startPlatform(tokenPlatform());
    let text = Buffer.from('a wrong key').toString('base64');
    const doubted: string[] = [];
    const secrets: Secrets = {
      read: async () => text,
      doubt: (name) => void doubted.push(name),
    };
    const { key: _, ...others } = sha256;
    const onenet = { ...others, keySecret: 'onenet/key' };
    const started = await startOn(broker, { onenet, cleanSession: true }, { table, secrets });
    const problems = () => started.bridge.status().problems;
    const untilSays = (problem: string) =>
      until(() => problems().includes(problem), { what: problem });
    await untilSays(
      'route store: disconnected: the broker refused the connection with 0x05 (Not authorized)',
    );
    expect(broker.connects[0]?.refusal).toBe('token: sign');
    expect(doubted).toContain('onenet/key');
    text = 'not base64!';
    await untilSays(
      "route store: disconnected: the secret onenet/key must be the product's key, in base64",
    );
    text = productKey;
    await untilReady(started);
    for (const line of started.lines) expect(line).not.toContain(productKey);
  });
});

test('the key is read from Secrets Manager by its name', async () => {
  const manager = await startFakeSecretsManager({ 'onenet/key': productKey });
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', manager.url);
  vi.stubEnv('AWS_REGION', 'local');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  onTestFinished(() => void vi.unstubAllEnvs());
  const broker = await startPlatform(tokenPlatform());
  const onenet = { platform: 'token', productId, keySecret: 'onenet/key' } as const;
  await untilReady(await startOn(broker, { onenet, cleanSession: true }, { table }));
  expect(manager.reads).toEqual(['onenet/key']);
});

describe('with the API keys of the older platform', () => {
  const onenet = { platform: 'device', productId: '123123' } as const;
  const clientIds = olderClientIds;

  test.each([
    ["the product's API key", { ...onenet, apiKey: 'an-api-key=' }],
    [
      "each device's authentication string",
      { ...onenet, authInfo: { '1001': 'sn-store', '1002': 'sn-commands' } },
    ],
  ] as const)(
    'data goes up, and waits in the session while the bridge is away: %s',
    async (_, shown) => {
      const broker = await startPlatform(olderPlatform);
      const filter = 'rooms/#';
      const first = await startOn(broker, { onenet: shown, clientIds }, { table, filter });
      await untilReady(first);
      await first.bridge.drain();
      const device = await connectDevice(broker, olderLamp);
      await device.publishAsync('rooms/1', 'meanwhile', { qos: 1 });
      const second = await startOn(broker, { onenet: shown, clientIds }, { table, filter });
      await until(() => second.handler.stored.length === 1);
      expect(second.handler.stored[0]).toMatchObject({ subject: 'rooms/1', data: 'meanwhile' });
      expect(broker.violations).toEqual([]);
    },
  );

  test('a wrong API key shows', async () => {
    const broker = await startPlatform(olderPlatform);
    const settings = { onenet: { ...onenet, apiKey: 'another' }, clientIds };
    const { bridge } = await startOn(broker, settings, { table, filter: 'rooms/#' });
    await until(() => bridge.status().problems.join().includes('Bad user name or password'));
  });

  test('a device without an authentication string shows', async () => {
    const broker = await startPlatform(olderPlatform);
    const settings = { onenet: { ...onenet, authInfo: { '1002': 'sn-commands' } }, clientIds };
    const { bridge } = await startOn(broker, settings, { table, filter: 'rooms/#' });
    const problem = 'route store: disconnected: broker.onenet.authInfo has no device 1001';
    await until(() => bridge.status().problems.includes(problem));
  });
});
