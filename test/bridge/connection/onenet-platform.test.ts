// That the OneNET of our tests refuses what the documentation says it does: otherwise getting in there would say nothing.
import mqtt, { type IClientOptions } from 'mqtt';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { oneNetToken, tokenResource } from '../../../bridge/connection/onenet-token.ts';
import {
  connectDevice,
  deviceKey,
  lamp,
  olderLamp,
  olderPlatform,
  productId,
  productKey,
  tokenPlatform,
} from '../../support/onenet-bridge.ts';
import { type OneNetBroker, startOneNetBroker } from '../../support/onenet-broker.ts';
import { until } from '../../support/wait.ts';

let broker: OneNetBroker;
beforeAll(async () => {
  broker = await startOneNetBroker(tokenPlatform());
  return () => broker.close();
});

const inTenMinutes = () => Math.floor(Date.now() / 1000) + 600;

function tokenOf(parts: Partial<Parameters<typeof oneNetToken>[0]> = {}): string {
  return oneNetToken({
    resource: tokenResource(productId, 'lamp'),
    expiresAtSeconds: inTenMinutes(),
    method: 'sha256',
    key: deviceKey('lamp'),
    ...parts,
  });
}

/** What becomes of a CONNECT: let in, or what the client is told. */
async function outcome(options: IClientOptions, at = broker): Promise<string> {
  const client = mqtt.connect(at.url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    clean: true,
    ...options,
  });
  onTestFinished(() => client.endAsync(true));
  return new Promise((resolve) => {
    client.once('connect', () => resolve('connected'));
    client.once('error', (error) => resolve(error.message));
    client.once('close', () => resolve('closed'));
  });
}

const unauthorized = 'Connection refused: Not authorized';
const product = tokenResource(productId);

test.each([
  ["the device's token", () => tokenOf()],
  ["the product's", () => tokenOf({ resource: product, key: productKey })],
  ['md5', () => tokenOf({ method: 'md5' })],
  ['sha1', () => tokenOf({ method: 'sha1' })],
  ['lower-case codes', () => tokenOf().replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())],
  ['another order', () => tokenOf().split('&').reverse().join('&')],
])('takes %s', async (_, password) => {
  expect(await outcome({ ...lamp(), password: password() })).toBe('connected');
});

describe('refuses', () => {
  const forged: readonly (readonly [string, () => string])[] = [
    ['an expired token', () => tokenOf({ expiresAtSeconds: inTenMinutes() - 601 })],
    ['a token of 1970', () => tokenOf({ expiresAtSeconds: 0 })],
    ['a negative time', () => tokenOf({ expiresAtSeconds: -5 })],
    ['a time put off after signing', () => tokenOf().replace(/et=\d+/, 'et=4000000000')],
    ['another key', () => tokenOf({ key: productKey })],
    ["the product's token with the device's key", () => tokenOf({ resource: product })],
    [
      'the token of another device',
      () =>
        tokenOf({
          resource: `${product}/devices/causeway-store-0`,
          key: deviceKey('causeway-store-0'),
        }),
    ],
    [
      'the token of another product',
      () => tokenOf({ resource: 'products/other', key: productKey }),
    ],
    [
      'another resource after signing',
      () =>
        tokenOf({ resource: product, key: productKey }).replace(
          /res=[^&]+/,
          `res=${encodeURIComponent(tokenResource(productId, 'lamp'))}`,
        ),
    ],
    ['another method after signing', () => tokenOf().replace('sha256', 'sha1')],
    ['a method that there is not', () => tokenOf().replace('sha256', 'sha512')],
    ['a method in capitals', () => tokenOf().replace('sha256', 'SHA256')],
    ['another version', () => tokenOf().replace('2018-10-31', '2020-05-29')],
    ['no signature', () => tokenOf().replace(/sign=.*/, 'sign=')],
    ['a signature left out', () => tokenOf().replace(/&sign=.*/, '')],
    ['a signature without its padding', () => tokenOf().replace('%3D', '')],
    ['values that are not encoded', () => decodeURIComponent(tokenOf())],
    ['values that are encoded twice', () => tokenOf().replaceAll('%', '%25')],
    ['a resource with a slash as it is', () => tokenOf().replace('%2F', '/')],
    ['half a code', () => `${tokenOf()}%`],
    ['a field twice', () => `${tokenOf()}&et=4000000000`],
    ['a field more', () => `${tokenOf()}&admin=1`],
    ['a plain API key', () => productKey],
    ['a space', () => ' '],
  ];

  test.each(forged)('%s', async (_, password) => {
    expect(await outcome({ ...lamp(), password: password() })).toBe(unauthorized);
  });

  test.each<readonly [string, IClientOptions, string]>([
    [
      'a device that there is not',
      { clientId: 'nobody' },
      'Connection refused: Identifier rejected',
    ],
    [
      'a device of the prototype',
      { clientId: 'toString' },
      'Connection refused: Identifier rejected',
    ],
    ['another product', { username: 'other' }, 'Connection refused: Bad username or password'],
    ['MQTT 5', { protocolVersion: 5 }, 'Connection refused: Unacceptable protocol version'],
    ['a keep-alive of an hour', { keepalive: 3600 }, 'closed'],
    ['a keep-alive of none', { keepalive: 0 }, 'closed'],
    ['a session to be kept', { clean: false }, 'closed'],
    ['a last will', { will: { topic: 'a', payload: 'b', qos: 0, retain: false } }, 'closed'],
  ])('%s', async (_, options, expected) => {
    // MQTT.js tells of code 1 in words of its own.
    expect(await outcome({ ...lamp(), ...options })).toMatch(
      new RegExp(`^(${expected}|Connection refused: Unacceptable protocol version)$`),
    );
  });

  test.each<readonly [string, string, object]>([
    ["another device's topic", `$sys/${productId}/causeway-store-0/dp/post/json`, {}],
    ["another product's", '$sys/other/lamp/dp/post/json', {}],
    ['a topic of its own making', 'rooms/kitchen', {}],
    ['what only the platform publishes', `$sys/${productId}/lamp/cmd/request/c1`, {}],
    ['a retained message', `$sys/${productId}/lamp/dp/post/json`, { retain: true }],
    ['QoS 2', `$sys/${productId}/lamp/dp/post/json`, { qos: 2 }],
    ['a topic of nine levels', `$sys/${productId}/lamp/cmd/response/c1/a/b/c`, {}],
  ])('by closing, a device that publishes: %s', async (_, topic, options) => {
    const device = await connectDevice(broker, lamp());
    const before = broker.violations.length;
    device.publish(topic, 'x', options);
    await until(() => !device.connected);
    expect(broker.violations.length).toBe(before + 1);
  });

  test.each([
    `$sys/${productId}/causeway-store-0/cmd/request/+`,
    `$sys/${productId}/+/cmd/request/+`,
    `$sys/${productId}/lamp/#`,
    '#',
    'rooms/#',
  ])('a subscription to %s', async (filter) => {
    const device = await connectDevice(broker, lamp());
    await expect(device.subscribeAsync(filter)).rejects.toThrow();
  });

  test('on the older platform: another key, another product, a topic of the system', async () => {
    const older = await startOneNetBroker(olderPlatform);
    onTestFinished(() => older.close());
    const bad = 'Connection refused: Bad username or password';
    expect(await outcome({ ...olderLamp, password: 'sn-store' }, older)).toBe(bad);
    expect(await outcome({ ...olderLamp, username: '1' }, older)).toBe(bad);
    expect(await outcome({ ...olderLamp, password: 'an-api-key=' }, older)).toBe('connected');
    const device = await connectDevice(older, olderLamp);
    await expect(device.subscribeAsync('$dp')).rejects.toThrow();
  });
});

test('ends a connection when its token expires', async () => {
  const password = tokenOf({ expiresAtSeconds: Math.floor(Date.now() / 1000) + 2 });
  const device = await connectDevice(broker, { ...lamp(), password });
  await until(() => !device.connected);
  expect(broker.expired).toBe(1);
});
