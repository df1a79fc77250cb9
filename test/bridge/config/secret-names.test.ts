import { expect, test } from 'vitest';
import * as z from 'zod';
import { bridgeConfigSchema, parseConfig } from '../../../bridge/config/config.ts';
import { secretName } from '../../../bridge/config/names.ts';
import { secretNamesIn } from '../../../bridge/config/secret-names.ts';

function namesOf(document: object): string[] {
  const config = parseConfig(document);
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  return secretNamesIn(bridgeConfigSchema, config.value);
}

const route = { name: 'hook', filter: '#', url: 'https://hooks.example.com' };

test('a config has the names of broker, OneNET, routes and headers, each once', () => {
  const broker = { url: 'mqtts://broker.example.com', credentialsSecret: 'login', caSecret: 'ca' };
  const headers = { 'x-key': { secret: 'key' }, 'x-team': 'blue' };
  const routes = [
    { ...route, secretName: 'signing', bearerSecret: 'login' },
    { ...route, name: 'other', basicSecret: 'basic', headers },
  ];
  expect(new Set(namesOf({ broker, routes }))).toEqual(
    new Set(['login', 'ca', 'signing', 'basic', 'key']),
  );
  const onenet = { platform: 'device', productId: '1', apiKeySecret: 'api-key' };
  const atOneNet = { url: 'mqtts://onenet.example.com', profile: 'onenet', onenet };
  expect(namesOf({ broker: atOneNet, routes: [{ ...route, filter: '$sys/1/d/#' }] })).toEqual([
    'api-key',
  ]);
});

test('a config that names none has none', () => {
  expect(namesOf({ broker: { url: 'mqtt://127.0.0.1' }, routes: [route] })).toEqual([]);
});

test.each([
  ['described', secretName.describe('Its meaning'), 'a', ['a']],
  ['optional', secretName.optional(), undefined, []],
  ['in a list', z.array(secretName), ['a', 'b', 'a'], ['a', 'b']],
  ['in a record', z.record(z.string(), secretName), { x: 'a' }, ['a']],
  [
    'beside a text of the same form',
    z.object({ x: z.string(), y: secretName }),
    { x: 'a', y: 'b' },
    ['b'],
  ],
  [
    'in one option of a union',
    z.union([z.number(), z.object({ secret: secretName })]),
    { secret: 'a' },
    ['a'],
  ],
  [
    'in a union that holds something else',
    z.union([z.number(), z.object({ secret: secretName })]),
    4,
    [],
  ],
] as const)('%s', (_, schema, value, names) => {
  expect(secretNamesIn(schema, value)).toEqual(names);
});
