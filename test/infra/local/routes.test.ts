import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config.ts';
import { localRoutes } from '../../../infra/local/routes.ts';

const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;

function routesOf(
  input: Omit<CausewayConfigInput, 'broker'>,
  { receiveMaximum, webhooks = false }: { receiveMaximum?: number; webhooks?: boolean } = {},
) {
  const broker = {
    url: 'mqtts://broker.example.com',
    ...(receiveMaximum !== undefined && { receiveMaximum }),
  };
  const config = parseCausewayConfig({ ...input, broker });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const routes = localRoutes(config.value, {
    ingestUrl: 'http://127.0.0.1:9000',
    secret,
    webhooks,
  });
  const document = parseConfig({ broker: { url: 'mqtt://127.0.0.1' }, routes });
  if (!document.ok) throw new Error(JSON.stringify(document.faults));
  return document.value.routes;
}

test('a route of the config stores in this process, for as long as it says', () => {
  const routes = routesOf({
    routes: [
      { name: 'all', filter: '#', maxBatch: 7 },
      { name: 'short', filter: 'a/#', retentionDays: 2 },
    ],
  });
  expect(routes).toMatchObject([
    { name: 'all', url: 'http://127.0.0.1:9000/', maxBatch: 7, window: 4000, secret },
    { name: 'short', filter: 'a/#', url: 'http://127.0.0.1:9000/?retentionDays=2' },
  ]);
});

test('what the broker allows bounds the window here too', () => {
  const [route] = routesOf({ routes: [{ name: 'all', filter: '#' }] }, { receiveMaximum: 100 });
  expect(route?.window).toBe(100);
});

test('a webhook is called from here only when it is asked for', () => {
  const handler = {
    url: 'https://hooks.example.com/{1}',
    format: 'raw',
    secretName: 'hooks',
    bearerSecret: 'token',
  } as const;
  const input = {
    routes: [
      { name: 'hook', filter: '#', handler },
      { name: 'all', filter: '#' },
    ],
  };
  expect(routesOf(input).map(({ name }) => name)).toEqual(['all']);
  expect(routesOf(input, { webhooks: true })).toMatchObject([
    { name: 'hook', ...handler, allowPrivate: false, maxBatch: 1 },
    { name: 'all', allowPrivate: true, maxBatch: 500 },
  ]);
});
