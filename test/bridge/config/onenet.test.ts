import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { type OneNetConfig, renewAfterSeconds } from '../../../bridge/config/onenet.ts';
import { clientIdOf, commandsClientId } from '../../../bridge/connection/client-ids.ts';
import { oneNetAccess } from '../../../bridge/connection/onenet-access.ts';
import { readToken } from '../../support/onenet-token-check.ts';

const key = Buffer.from('a key').toString('base64');
const token = { platform: 'token', productId: 'p1', key };
const document = (broker: object) => ({
  broker: { url: 'mqtt://127.0.0.1', profile: 'onenet', onenet: token, ...broker },
  routes: [{ name: 'store', filter: '$sys/p1/d1/#', url: 'http://127.0.0.1', allowPrivate: true }],
});

function faultsOf(broker: object): string[] {
  const parsed = parseConfig(document(broker));
  return parsed.ok ? [] : parsed.faults.map(({ field, rule }) => `${field}: ${rule}`);
}

test('a product and its key are enough', () => {
  const parsed = parseConfig(document({}));
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      broker: {
        protocolVersion: 4,
        onenet: { keyOf: 'product', method: 'sha256', tokenSeconds: 3600 },
      },
    },
  });
});

test.each<readonly [string, object, string]>([
  ['another profile', { profile: 'emqx' }, "broker.profile: must be 'onenet' beside"],
  ['no profile', { profile: undefined }, "broker.profile: must be 'onenet' beside"],
  [
    'a last will',
    { status: { topic: 'causeway/{clientId}/status' } },
    'broker.status: must not be set: the platform takes no last will',
  ],
  ['a user name', { username: 'u' }, 'broker.username: must not stand beside broker.onenet'],
  ['MQTT 5', { protocolVersion: 5 }, 'broker.protocolVersion: must be 4'],
  [
    'a long keep-alive',
    { keepaliveSeconds: 1801 },
    'broker.keepaliveSeconds: must be at most 1800',
  ],
  ['a short one', { keepaliveSeconds: 9 }, 'broker.keepaliveSeconds: must be at least 10'],
  [
    'no key',
    { onenet: { ...token, key: undefined } },
    'broker.onenet.keySecret: needs exactly one',
  ],
  ['two keys', { onenet: { ...token, keySecret: 'k' } }, 'broker.onenet.keySecret: needs exactly'],
  ['a key that is none', { onenet: { ...token, key: 'not base64' } }, 'broker.onenet.key: must be'],
  [
    'keys of devices for the product',
    { onenet: { ...token, deviceKeys: { d: key } } },
    'broker.onenet.deviceKeys: must not',
  ],
  [
    'a key of the product for devices',
    { onenet: { ...token, keyOf: 'device' } },
    'broker.onenet.key: must not',
  ],
  [
    'a product with a slash',
    { onenet: { ...token, productId: 'a/b' } },
    'broker.onenet.productId: ',
  ],
  [
    'a token of five seconds',
    { onenet: { ...token, tokenSeconds: 5 } },
    'broker.onenet.tokenSeconds: ',
  ],
  [
    'a platform that there is not',
    { onenet: { ...token, platform: 'x' } },
    'broker.onenet.platform: ',
  ],
  [
    'a hash that there is not',
    { onenet: { ...token, method: 'sha512' } },
    'broker.onenet.method: ',
  ],
  [
    'an API key and a string',
    { onenet: { platform: 'device', productId: '1', apiKey: 'k', authInfo: {} } },
    'broker.onenet.apiKeySecret: needs',
  ],
  [
    'a client id twice',
    { clientIds: { 'store-0': 'd', commands: 'd' } },
    'broker.clientIds: must not',
  ],
])('refuses %s', (_, broker, fault) => {
  expect(faultsOf(broker)).toContainEqual(expect.stringContaining(fault));
});

test('the older platform takes a longer keep-alive', () => {
  const onenet = { platform: 'device', productId: '1', apiKey: 'k' };
  expect(faultsOf({ onenet, keepaliveSeconds: 2000 })).toEqual([]);
  expect(faultsOf({ onenet, keepaliveSeconds: 2001 })).toEqual([
    expect.stringContaining('broker.keepaliveSeconds: must be at most 2000'),
  ]);
});

test.each([6, 60, 600, 3600, 604_800])('a token of %i s is renewed in time', (seconds) => {
  expect(renewAfterSeconds(seconds)).toBeGreaterThan(0);
  expect(seconds - renewAfterSeconds(seconds)).toBeGreaterThanOrEqual(2);
  expect(seconds - renewAfterSeconds(seconds)).toBeLessThanOrEqual(60);
});

test('client ids are those that were given out, and else made of the prefix', () => {
  const naming = { clientIdPrefix: 'causeway', clientIds: { 'store-0': 'd1' } };
  expect(clientIdOf(naming, 'store-0')).toBe('d1');
  expect(clientIdOf(naming, 'store-1')).toBe('causeway-store-1');
  expect(commandsClientId(naming)).toMatch(/^causeway-publisher-[0-9a-f]{12}$/);
  expect(commandsClientId({ ...naming, clientIds: { commands: 'd2' } })).toBe('d2');
  const onenet = { platform: 'device', productId: '1', apiKey: 'k' } as const;
  expect(commandsClientId({ ...naming, onenet })).toBe('causeway-commands');
});

const config: OneNetConfig = {
  platform: 'token',
  productId: 'p1',
  keyOf: 'device',
  keySecret: 'keys',
  method: 'md5',
  tokenSeconds: 60,
};
const accessWith = (secret: string, clientId = 'd1', of: OneNetConfig = config) =>
  oneNetAccess(of, clientId, async () => secret, 1_000_000);

test('a key of each device comes from one secret', async () => {
  const access = await accessWith(JSON.stringify({ d1: key, d2: key }));
  expect(access).toMatchObject({ username: 'p1', renewAfterMs: 40_000 });
  expect(readToken(access.password)).toMatchObject({
    res: 'products/p1/devices/d1',
    et: '1060',
    method: 'md5',
  });
});

test.each([
  '',
  'x',
  '[]',
  'null',
  '{}',
  '{"d2":"a2V5"}',
  '{"d1":5}',
  '{"d1":"not base64"}',
  '{"d1":""}',
])('a secret that has no key for the device says so, and not what it is: %j', async (secret) => {
  await expect(accessWith(secret)).rejects.toThrow(
    /^the secret keys must be a JSON object that has the base64 key of the device d1$/,
  );
});

test('an API key may end with the line that an editor leaves', async () => {
  const of: OneNetConfig = { platform: 'device', productId: '1', apiKeySecret: 'k' };
  expect(await accessWith('an-api-key=\n', '1001', of)).toEqual({
    username: '1',
    password: 'an-api-key=',
  });
});
