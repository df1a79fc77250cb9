import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config.ts';
import { localRoutes } from '../../../infra/local/routes.ts';

const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;

function routesOf(input: Omit<CausewayConfigInput, 'broker'>, receiveMaximum?: number) {
  const broker = {
    url: 'mqtts://broker.example.com',
    ...(receiveMaximum !== undefined && { receiveMaximum }),
  };
  const config = parseCausewayConfig({ ...input, broker });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const routes = localRoutes(config.value, { ingestUrl: 'http://127.0.0.1:9000', secret });
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
  const [route] = routesOf({ routes: [{ name: 'all', filter: '#' }] }, 100);
  expect(route?.window).toBe(100);
});

test('no webhook is called from here', () => {
  const handler = { url: 'https://hooks.example.com', secretName: 'hooks' };
  const routes = routesOf({
    routes: [
      { name: 'hook', filter: '#', handler },
      { name: 'all', filter: '#' },
    ],
  });
  expect(routes.map(({ name }) => name)).toEqual(['all']);
});
