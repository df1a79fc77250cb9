// Alerts to a real endpoint: signed, each once, with what is over, and of no weight while the endpoint is away.
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { alertOf } from '../../../bridge/alerts/alert-event.ts';
import { AlertSender, maxQueuedAlerts } from '../../../bridge/alerts/alert-sender.ts';
import { startAlerts } from '../../../bridge/alerts/alerts.ts';
import type { Condition } from '../../../bridge/alerts/condition.ts';
import { OfflineClients } from '../../../bridge/alerts/offline-clients.ts';
import { alertsSchema } from '../../../bridge/config/alerts.ts';
import { until } from '../../support/wait.ts';
import { startRawHandler } from '../routes/raw-handler.ts';

const log = pino({ level: 'silent' });
const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const source = 'mqtt://broker:1883/causeway';
const holding: Condition = {
  kind: 'holding',
  subject: 'store',
  reason: 'the handler answered 503',
  status: 503,
  sinceMs: Date.parse('2026-01-31T12:00:00Z'),
};

async function endpointAndConfig(input: object = {}) {
  const endpoint = await startRawHandler();
  onTestFinished(() => endpoint.close());
  const url = `${endpoint.url}/alerts`;
  const config = alertsSchema.parse({ url, secret, allowPrivate: true, afterSeconds: 0, ...input });
  const told = () =>
    endpoint.requests.map(
      ({ body, headers }) =>
        new Webhook(secret).verify(body, headers as Record<string, string>) as {
          data: { alert: string; state: string; subject: string };
        },
    );
  return { endpoint, config, told };
}

test('what begins is told once, with what to do, and when it is over; signed, as CloudEvents', async () => {
  const { endpoint, config, told } = await endpointAndConfig({
    about: ['holding', 'disabled'],
    headers: { 'x-team': 'blue' },
  });
  let now: Condition[] = [];
  const alerts = await startAlerts({
    config,
    conditions: { now: () => now },
    source,
    secrets: undefined,
    clients: new OfflineClients([]),
    log,
    everyMs: 5,
  });
  onTestFinished(() => alerts.drain(AbortSignal.abort()));
  now = [holding, { kind: 'certificate', subject: 'broker', reason: 'expires' }];
  await until(() => told().length === 1);
  now = [{ ...holding, reason: 'the handler answered 500' }];
  await new Promise((resolve) => setTimeout(resolve, 50));
  now = [];
  await until(() => told().length === 2);
  expect(told()).toMatchObject([
    {
      type: 'causeway.alert.v1',
      source,
      subject: 'store',
      data: {
        alert: 'holding',
        state: 'began',
        since: '2026-01-31T12:00:00.000Z',
        reason: 'the handler answered 503',
        status: 503,
        action: expect.stringContaining('/v1/routes/store/retry'),
      },
    },
    { data: { alert: 'holding', state: 'recovered', lastedSeconds: expect.any(Number) } },
  ]);
  expect(endpoint.requests[0]?.headers).toMatchObject({
    'content-type': 'application/cloudevents+json',
    'user-agent': expect.stringMatching(/^Causeway\//),
    'x-team': 'blue',
    'webhook-id': expect.stringMatching(/^alert_/),
  });
});

test('the same thing has the same id, for every bridge and over restarts', () => {
  const change = { kind: 'began', condition: holding, sinceMs: 1, atMs: 2 } as const;
  const first = alertOf(change, source);
  expect(first?.id).toBe(alertOf({ ...change, atMs: 3 }, source)?.id);
  expect(first?.id).not.toBe(alertOf({ ...change, kind: 'ended' }, source)?.id);
  expect(first?.id).not.toBe(alertOf({ ...change, sinceMs: 2 }, source)?.id);
});

test('what was lost does not come back, and another reason is no news', () => {
  const lost = { ...holding, kind: 'session-lost' } as const;
  expect(alertOf({ kind: 'ended', condition: lost, sinceMs: 1, atMs: 2 }, source)).toBeUndefined();
  expect(
    alertOf({ kind: 'changed', condition: holding, sinceMs: 1, atMs: 2 }, source),
  ).toBeUndefined();
});

test('while the endpoint is away the newest wait, at most 100; what it refuses is given up', async () => {
  const { endpoint, config, told } = await endpointAndConfig();
  endpoint.answer = { status: 503, body: '' };
  const sender = await AlertSender.open(config, undefined, log);
  onTestFinished(() => sender.drain(AbortSignal.abort()));
  const send = (subject: string) => {
    const condition = { ...holding, subject };
    const alert = alertOf({ kind: 'began', condition, sinceMs: 1, atMs: 1 }, source);
    if (alert !== undefined) sender.send(alert);
  };
  for (let route = 0; route < maxQueuedAlerts + 20; route++) send(`route-${route}`);
  await until(() => endpoint.requests.length > 0);
  endpoint.answer = { status: 200, body: 'OK' };
  endpoint.requests.length = 0;
  await until(() => new Set(told().map(({ data }) => data.subject)).size === maxQueuedAlerts);
  expect(told().at(-1)?.data.subject).toBe(`route-${maxQueuedAlerts + 19}`);
  endpoint.answer = { status: 400, body: 'not this' };
  send('refused');
  await until(() => told().at(-1)?.data.subject === 'refused');
  endpoint.answer = { status: 200, body: 'OK' };
  send('next');
  await until(() => told().at(-1)?.data.subject === 'next');
  await sender.drain(AbortSignal.timeout(1000));
  expect(told().filter(({ data }) => data.subject === 'refused')).toHaveLength(1);
});

test('clients that match are offline until they are online', () => {
  const clients = new OfflineClients(['pump-1', 'sensors/+']);
  const since = '2026-01-31T12:00:00.000000Z';
  const offline = (clientId: string) => ({ clientId, status: 'offline' as const, since });
  clients.note([
    offline('pump-1'),
    offline('pump-2'),
    { ...offline('sensors/a'), reason: 'timeout' },
  ]);
  expect(clients.now()).toEqual([
    expect.objectContaining({ kind: 'client-offline', subject: 'pump-1' }),
    expect.objectContaining({
      subject: 'sensors/a',
      reason: 'timeout',
      sinceMs: Date.parse(since),
    }),
  ]);
  clients.note([{ clientId: 'pump-1', status: 'online', since }]);
  expect(clients.now().map(({ subject }) => subject)).toEqual(['sensors/a']);
});

test.each([
  [{ url: 'http://127.0.0.1:1', secret }, 'url'],
  [{ url: 'https://a.example/{1}', secret }, 'url'],
  [{ url: 'https://a.example' }, 'secretName'],
  [{ url: 'https://a.example', secret: 'abc' }, 'secret'],
  [{ url: 'https://a.example', secret, about: [] }, 'about'],
  [{ url: 'https://a.example', secret, clients: ['a#'] }, 'clients'],
])('a config of %j is refused by %s', (config, field) => {
  const parsed = alertsSchema.safeParse(config);
  expect(parsed.error?.issues.map(({ path }) => path[0])).toContain(field);
});
