import { expect, test } from 'vitest';
import { parseConfig, publicUrl } from '../../bridge/config.ts';

const minimal = {
  broker: { url: 'mqtt://127.0.0.1' },
  routes: [{ name: 'store', filter: '#', url: 'http://127.0.0.1:9000/ingest' }],
};

test('needs only a broker and a route', () => {
  expect(parseConfig(minimal)).toMatchObject({
    ok: true,
    value: {
      broker: { clientIdPrefix: 'causeway', protocolVersion: 5 },
      http: { port: 9100 },
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

test('a public URL has no credentials', () => {
  expect(publicUrl('mqtts://user:secret@broker:8883/path')).toBe('mqtts://broker:8883');
});
