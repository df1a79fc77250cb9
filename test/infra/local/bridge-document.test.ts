import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config/config.ts';
import { localBridgeDocument } from '../../../infra/local/bridge-document.ts';
import { localWiring } from './local-wiring.ts';

const { secret } = localWiring;

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
  const document = parseConfig(
    localBridgeDocument(config.value, { ...localWiring, isEmbedded: false, webhooks }),
  );
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

test('a route waits for others where many come, unless each message is an item', () => {
  const routes = routesOf({
    routes: [
      { name: 'default', filter: '#' },
      { name: 'packed', filter: 'a/#', storage: 'packed', retentionDays: 2 },
      { name: 'patient', filter: 'b/#', storage: 'packed', maxLingerMs: 1000 },
      { name: 'items', filter: 'c/#', storage: 'items' },
    ],
  });
  const url = 'http://127.0.0.1:9000/';
  expect(routes).toMatchObject([
    { url, lingerMs: 5, maxLingerMs: 250 },
    { url: `${url}?retentionDays=2&storage=packed`, lingerMs: 5, maxLingerMs: 250 },
    { url: `${url}?storage=packed`, maxLingerMs: 1000 },
    { url: `${url}?storage=items`, maxLingerMs: 5 },
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
