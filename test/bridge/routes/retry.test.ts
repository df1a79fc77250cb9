// A mended handler: the next attempt is now, for those who ask for it or resume the route; with and without a table.
import mqtt from 'mqtt';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { brokers } from '../../support/brokers.ts';
import { startHandler } from '../../support/handler.ts';
import { askRoutes as ask, statusOf, routeToken as token } from '../../support/route-control.ts';
import { startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const table = await startTable();
afterAll(() => table.close());

const embedded = brokers.find(({ name }) => name.includes('embedded')) ?? brokers.at(-1);

/** A route that holds, for five minutes as its handler has asked; the handler is well again. */
async function heldRoute(input: Partial<Parameters<typeof startTestBridge>[0]> = {}) {
  if (embedded === undefined) throw new Error('there is no broker');
  const broker = await embedded.start();
  onTestFinished(() => broker.stop());
  const handler = await startHandler();
  onTestFinished(() => handler.close());
  handler.answer = (_, response) => void response.writeHead(503, { 'retry-after': '300' }).end();
  const options = { brokerUrl: broker.url, handlerUrl: handler.url, token, ...input };
  const bridge = await startTestBridge(options);
  await untilReady(bridge);
  // Until it has the lease it is a standby, and ready.
  await until(async () => (await statusOf(bridge.url)).state === 'active');
  const device = await mqtt.connectAsync(broker.url, { protocolVersion: embedded.version });
  onTestFinished(() => device.endAsync(true));
  for (const topic of ['a', 'b']) await device.publishAsync(topic, '1', { qos: 1 });
  await until(async () => (await statusOf(bridge.url)).state === 'holding');
  handler.answer = (_, response) => void response.end();
  return { handler, bridge, options };
}

const delivered = (handler: { readonly stored: readonly { subject: string }[] }) =>
  until(() => new Set(handler.stored.map(({ subject }) => subject)).size === 2);

test('POST /retry: at once, although the handler had asked for five minutes', async () => {
  const { handler, bridge } = await heldRoute();
  const held = await statusOf(bridge.url);
  expect(held.tries).toBeGreaterThan(0);
  const inMs = (at: string | undefined) => Date.parse(at ?? '') - Date.now();
  expect(inMs(held.holdingSince)).toBeLessThanOrEqual(0);
  expect(inMs(held.nextTryAt)).toBeGreaterThan(100_000);
  expect(inMs(held.oldestWaitingAt)).toBeLessThanOrEqual(inMs(held.holdingSince) + 1000);
  // What it remembers of all that: it looks once a second, and when it is asked.
  const told = async (path: string, asked: object) => {
    const { status: code, body: answer } = await ask(bridge.url, path, asked);
    expect(code).toBe(200);
    return answer as Record<string, { [field: string]: unknown }[]>;
  };
  expect((await told('/states', { name: 'store' }))['states']?.[0]).toMatchObject({
    state: 'holding',
  });
  const { status, body } = await ask(bridge.url, '/retry', { name: 'store', by: 'token:a' });
  expect([status, (body as { name: string }).name]).toEqual([200, 'store']);
  await delivered(handler);
  await until(async () => (await statusOf(bridge.url)).state === 'active');
  expect((await ask(bridge.url, '/retry', { name: 'none' })).status).toBe(404);
  const well = await statusOf(bridge.url);
  for (const field of ['tries', 'holdingSince', 'nextTryAt', 'oldestWaitingAt'])
    expect(well).not.toHaveProperty(field);

  const { attempts } = await told('/attempts', { name: 'store' });
  expect(attempts?.at(-1)).toMatchObject({
    verdict: 'held',
    status: 503,
    messageId: expect.any(String),
  });
  expect(attempts?.[0]).toMatchObject({ verdict: 'delivered', status: 200 });
  const { states } = await told('/states', { name: 'store' });
  expect(states?.slice(0, 2)).toMatchObject([{ state: 'active' }, { state: 'holding' }]);
  const now = Date.now();
  const asked = { name: 'store', fromMs: now - 600_000, toMs: now + 1000, stepSeconds: 60 };
  const { points = [] } = await told('/series', asked);
  const sum = (field: string) => points.reduce((total, point) => total + Number(point[field]), 0);
  expect([sum('received'), sum('delivered')]).toEqual([2, 2]);
  expect(sum('retried')).toBeGreaterThan(0);
  for (const path of ['/attempts', '/states'])
    expect((await ask(bridge.url, path, { name: 'none' })).status).toBe(404);
  expect((await ask(bridge.url, '/series', { ...asked, name: 'none' })).status).toBe(404);
  expect((await ask(bridge.url, '/series', { name: 'store' })).status).toBe(400);
});

test('a resume does the same', async () => {
  const { handler, bridge } = await heldRoute();
  await ask(bridge.url, '/pause', { name: 'store' });
  await ask(bridge.url, '/resume', { name: 'store' });
  await delivered(handler);
});

test('while it is paused nothing is sent', async () => {
  const { handler, bridge } = await heldRoute();
  await ask(bridge.url, '/pause', { name: 'store' });
  const asked = handler.requests.length;
  const { body } = await ask(bridge.url, '/retry', { name: 'store' });
  expect((body as { state: string }).state).toBe('paused');
  expect(handler.requests).toHaveLength(asked);
});

test('the bridge that has the session tries again where another one was asked', async () => {
  const { handler, options } = await heldRoute({ table });
  const standby = await startTestBridge({ ...options, table });
  await until(async () => (await statusOf(standby.url)).state === 'standby');
  await ask(standby.url, '/retry', { name: 'store' });
  await delivered(handler);
});
