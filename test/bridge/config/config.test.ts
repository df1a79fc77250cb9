import { expect, test } from 'vitest';
import { parseConfig, publicUrl } from '../../../bridge/config/config.ts';

const minimal = {
  broker: { url: 'mqtt://127.0.0.1' },
  routes: [{ name: 'store', filter: '#', url: 'https://handler.example.com/ingest' }],
};

test('needs only a broker and a route', () => {
  expect(parseConfig(minimal)).toMatchObject({
    ok: true,
    value: {
      broker: { clientIdPrefix: 'causeway', protocolVersion: 5 },
      http: { port: 9100 },
      commands: { window: 100, pollSeconds: 10, ackTimeoutMs: 10_000 },
      routes: [{ qos: 1, maxBatch: 500, lingerMs: 5, concurrency: 4, window: 4000 }],
    },
  });
});

test('lists every problem in one go, with its path', () => {
  const route = {
    name: 'store',
    filter: 'a/#/b',
    url: 'ftp://x',
    qos: 2,
    window: 0,
    colour: 'red',
  };
  const parsed = parseConfig({
    broker: { url: 'http://x' },
    routes: [minimal.routes[0], route],
    extra: 1,
  });
  expect(parsed.ok ? [] : parsed.faults.map(({ field }) => field)).toEqual([
    'broker.url',
    'routes.1.filter',
    'routes.1.url',
    'routes.1.qos',
    'routes.1.window',
    'routes.1.colour',
    'extra',
  ]);
});

test('refuses a route name twice', () => {
  const parsed = parseConfig({ ...minimal, routes: [...minimal.routes, ...minimal.routes] });
  expect(parsed).toMatchObject({
    ok: false,
    faults: [{ field: 'routes.1.name', rule: 'is also the name of routes.0' }],
  });
});

const broker = { url: 'mqtts://broker.example.com' };
const route = minimal.routes[0];

test.each([
  ['credentialsSecret', { password: 'x', credentialsSecret: 'x' }, ['broker.password']],
  ['caSecret', { caFile: 'ca.pem', caSecret: 'x' }, ['broker.caFile']],
  [
    'clientCertificateSecret',
    { certificateFile: 'a', keyFile: 'b', clientCertificateSecret: 'x' },
    ['broker.certificateFile', 'broker.keyFile'],
  ],
  ['a key alone', { keyFile: 'key.pem' }, ['broker.certificateFile']],
  ['a certificate alone', { certificateFile: 'cert.pem' }, ['broker.keyFile']],
  ['a CA without TLS', { url: 'mqtt://broker', caFile: 'ca.pem' }, ['broker.caFile']],
  ['ALPN without TLS', { url: 'wss://broker', alpnProtocols: ['mqtt'] }, ['broker.alpnProtocols']],
  ['no name of a secret', { caSecret: 'what is this' }, ['broker.caSecret']],
  [
    'a user name in the URL',
    { url: 'mqtts://user:hunter2@broker', credentialsSecret: 'x' },
    ['broker.url'],
  ],
  ['no URL', { url: 'nonsense', caFile: 'ca.pem' }, ['broker.url']],
])('of the broker, %s is a fault where it cannot be meant', (_, fields, faults) => {
  const parsed = parseConfig({ ...minimal, broker: { ...broker, ...fields } });
  expect(parsed.ok ? [] : parsed.faults.map(({ field }) => field)).toEqual(faults);
  expect(JSON.stringify(parsed)).not.toContain('hunter2');
});

const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;

test.each([
  [{ secret, secretName: 'x' }, ['routes.0.secret']],
  [{ auth: 'aws-iam', secret }, ['routes.0.secret']],
  [{ auth: 'aws-iam', secretName: 'x' }, ['routes.0.secretName']],
])('a route has one way to sign, not %o', (fields, faults) => {
  const parsed = parseConfig({ ...minimal, routes: [{ ...route, ...fields }] });
  expect(parsed.ok ? [] : parsed.faults.map(({ field }) => field)).toEqual(faults);
});

test('secrets, certificates and a way to sign can be named', () => {
  const parsed = parseConfig({
    broker: {
      ...broker,
      credentialsSecret: 'causeway/broker',
      caFile: '/etc/ca.pem',
      certificateFile: '/etc/cert.pem',
      keyFile: '/etc/key.pem',
      serverName: 'broker',
      alpnProtocols: ['x-amzn-mqtt-ca'],
    },
    routes: [
      { ...route, auth: 'aws-iam' },
      { ...route, name: 'hook', secretName: 'causeway/hook' },
    ],
  });
  expect(parsed.ok ? [] : parsed.faults).toEqual([]);
});

test('a public URL has no credentials', () => {
  expect(publicUrl('mqtts://user:secret@broker:8883/path')).toBe('mqtts://broker:8883');
});

test('refuses more routes than memoryMiB has floors for', () => {
  const withRoutes = (count: number, memoryMiB?: number) =>
    parseConfig({
      ...minimal,
      ...(memoryMiB !== undefined && { memoryMiB }),
      routes: Array.from({ length: count }, (_, index) => ({ ...route, name: `r-${index}` })),
    });
  const floors = (count: number, memoryMiB?: number) => {
    const parsed = withRoutes(count, memoryMiB);
    return parsed.ok ? [] : parsed.faults.map(({ field }) => field);
  };
  expect(floors(15)).toEqual([]);
  expect(floors(16)).toEqual(['memoryMiB']);
  expect(floors(16, 534)).toEqual([]);
  expect(floors(4, 256)).toEqual([]);
  expect(floors(5, 256)).toEqual(['memoryMiB']);
});

test('an expression is checked, with its column, and is none of a route that stores', () => {
  const faultsOf = (route: object) => {
    const parsed = parseConfig({ ...minimal, routes: [{ ...minimal.routes[0], ...route }] });
    return parsed.ok ? [] : parsed.faults;
  };
  expect(faultsOf({ where: 'payload.celsius > 30', transform: '{"text": topic}' })).toEqual([]);
  expect(faultsOf({ where: 'payload.celsius >' })).toMatchObject([
    { field: 'routes.0.where', rule: expect.stringContaining('column 17') },
  ]);
  expect(faultsOf({ ingest: true, where: 'true', transform: 'payload' })).toMatchObject([
    { field: 'routes.0.where' },
    { field: 'routes.0.transform' },
  ]);
});

test('memoryMiB has room for the thread of each route with an expression', () => {
  const routes = Array.from({ length: 5 }, (_, index) => ({
    ...minimal.routes[0],
    name: `r${index}`,
  }));
  const faultsOf = (where?: string) => {
    const parsed = parseConfig({
      ...minimal,
      routes: routes.map((route) => ({ ...route, where })),
    });
    return parsed.ok ? [] : parsed.faults;
  };
  expect(faultsOf()).toEqual([]);
  expect(faultsOf('true')).toMatchObject([{ field: 'memoryMiB' }]);
});
