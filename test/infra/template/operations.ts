// What an operator does with a deployment: webhooks and what they refuse, traces, replays, pauses, presence, pushes.
import mqtt from 'mqtt';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { properties, pushBody, validation } from '../../support/onenet-push.ts';
import { until } from '../../support/wait.ts';
import { bearerToken, webhookSecret } from './rig/stack.ts';
import type { WebhookRequest } from './rig/world.ts';
import type { Answer, User } from './user.ts';

const hasIn = (body: string, id: string) => (request: WebhookRequest) =>
  request.body.includes(body) && request.body.includes(id);

export function describeOperations(user: () => User): void {
  /** Starts a replay; resolves when `isReached` holds for it. */
  async function replay(request: object, isReached: (replay: Answer['body']) => boolean) {
    const { status, body } = await user().call('/v1/replay', request);
    expect([status, body]).toMatchObject([202, { id: expect.any(String) }]);
    return until(
      async () => {
        const { body: now } = await user().call(`/v1/replays/${body.id}`);
        return isReached(now) ? now : undefined;
      },
      { what: 'the replay' },
    );
  }

  const changeRoute = (name: string, change: 'pause' | 'resume') =>
    user().call(`/v1/routes/${name}/${change}`, undefined, { method: 'POST' });

  test('a webhook gets its messages, signed; what it rejects is listed, replayed and deleted', async () => {
    const { call, publish, world } = user();
    const { webhook } = world;
    await publish('alarms/door', 'open');
    const request = await until(() => webhook.received[0]);
    new Webhook(webhookSecret).verify(request.body, request.headers);
    webhook.status = 422;
    await publish('alarms/door', 'broken');
    await publish('alarms/door', 'x'.repeat(500_000));
    const listed = await until(async () => {
      const { deadLetters } = (await call('/v1/dead-letters')).body;
      return deadLetters.length === 2 ? deadLetters : undefined;
    });
    expect(listed).toMatchObject([{ route: 'hook', bytes: 500_000 }, { bytes: 6 }]);
    const [large, small] = listed.map(({ id }: { id: string }) => `/v1/dead-letters/${id}`);
    expect((await call(`${small}/replay`, {})).body.code).toBe('handler-refused');
    webhook.status = 204;
    expect(await call(`${large}/replay`, {})).toMatchObject({ body: { status: 'delivered' } });
    expect((await call(small)).body.message.payload).toBe('broken');
    const trace = await call(`/v1/messages/trace?id=${listed[1].id}`);
    expect(trace.body).toMatchObject({ traces: [{ route: 'hook', state: 'quarantined' }] });
    expect((await call(small, undefined, { method: 'DELETE' })).status).toBe(204);
    expect((await call('/v1/dead-letters')).body.deadLetters).toEqual([]);
  });

  test('a webhook gets messages as they are, at a URL made of their topics, with its token', async () => {
    const { publish, world } = user();
    await publish('lights/porch', 'on');
    const request = await until(() =>
      world.webhook.received.find(({ target }) => target === '/mqtt/porch'),
    );
    expect(request).toMatchObject({
      method: 'PUT',
      body: 'on',
      headers: { authorization: `Bearer ${bearerToken}` },
    });
  });

  test('what happened to a message that had trouble is told, while it waits and after', async () => {
    const { call, publish, world } = user();
    const { webhook } = world;
    webhook.status = 503;
    // The id is the producer's own, and an HTTP API hands paths over decoded.
    const id = 'gate/1?a=%2F#b';
    await publish('alarms/gate', 'stuck', { properties: { userProperties: { id } } });
    const request = await until(() => webhook.received.find(hasIn('alarms/gate', '')));
    const path = `/v1/messages/trace?id=${encodeURIComponent(JSON.parse(request.body)[0].id)}`;
    const inState = (state: string) =>
      until(async () => {
        const { status, body } = await call(path);
        return status === 200 && body.traces[0]?.state === state ? body : undefined;
      });
    expect(await inState('waiting')).toMatchObject({ routes: [{ name: 'hook' }] });
    webhook.status = 204;
    const { traces } = await inState('delivered');
    expect(traces[0].attempts).toMatchObject([
      { status: 503, verdict: 'held' },
      ...Array(traces[0].tries - 2).fill({ status: 503 }),
      { status: 204, verdict: 'delivered' },
    ]);
  });

  test('what is stored goes to a webhook again, marked, after a count', async () => {
    const { webhook } = user().world;
    const request = { filter: 'rooms/kitchen', route: 'hook' };
    const before = webhook.received.length;
    const isDone = ({ status }: Answer['body']) => status === 'done';
    const counted = await replay({ ...request, dryRun: true }, isDone);
    expect(counted).toMatchObject({ total: 1, delivered: 0 });
    expect(webhook.received).toHaveLength(before);
    const { id, delivered } = await replay(request, isDone);
    expect(delivered).toBe(1);
    expect(webhook.received.slice(before).filter(hasIn('rooms/kitchen', id))).toHaveLength(1);
  });

  test('a paused route sends nothing, a replay waits for it and can be cancelled', async () => {
    const { call, publish, world } = user();
    const { webhook } = world;
    expect((await changeRoute('hook', 'pause')).body).toMatchObject({ state: 'paused' });
    const before = webhook.received.length;
    await publish('alarms/window', 'held back');
    const { id } = await replay(
      { filter: 'rooms/#', route: 'hook' },
      ({ waiting }) => waiting !== undefined,
    );
    const cancelled = await call(`/v1/replays/${id}/cancel`, undefined, { method: 'POST' });
    expect(cancelled.body).toMatchObject({ status: 'cancelled', delivered: 0 });
    expect(webhook.received).toHaveLength(before);
    expect((await changeRoute('hook', 'resume')).status).toBe(200);
    await until(() => webhook.received.find(hasIn('alarms/window', '')));
    expect(webhook.received.some(hasIn('', id))).toBe(false);
  });

  test('who is online is known by what devices say, and by their last wills', async () => {
    const { call, world } = user();
    const topic = 'devices/lamp-7/status';
    const lamp = await mqtt.connectAsync(world.deviceUrl, {
      ...world.credentials,
      clientId: 'lamp-7',
      reconnectPeriod: 0,
      will: { topic, payload: Buffer.from('offline'), qos: 1, retain: true },
    });
    const isNow = (status: string) =>
      until(async () => {
        const [client] = (await call('/v1/presence')).body.clients;
        return client?.status === status ? client : undefined;
      });
    await lamp.publishAsync(topic, 'online', { qos: 1, retain: true });
    expect(await isNow('online')).toMatchObject({ clientId: 'lamp-7' });
    lamp.stream.destroy();
    await isNow('offline');
    const { events } = (await call('/v1/presence/events?clientId=lamp-7')).body;
    expect(events).toMatchObject([{ event: 'disconnected' }, { event: 'connected' }]);
  });

  test('a platform pushes to one path of the API, with its signature', async () => {
    const { call, messages } = user();
    const anybody = { headers: { authorization: '' } };
    const validated = await call(`/push/onenet?${validation('hello')}`, undefined, anybody);
    expect(validated).toEqual({ status: 200, body: 'hello' });
    const push = (body: string, path = '/push/onenet') =>
      call(path, undefined, { ...anybody, method: 'POST', body });
    const pushed = pushBody(properties(Date.now()));
    expect((await push(pushed.replace('21.5', '99.5'))).status).toBe(401);
    expect((await push(pushed, '/push/other')).status).not.toBe(200);
    expect((await push(pushed)).status).toBe(200);
    const stored = await messages('$sys/C6z4Zk012B/test01/thing/property/post', 1);
    expect(JSON.stringify(stored[0].payload)).toContain('21.5');
  });

  test('a webhook that is gone gets nothing more', async () => {
    const { call, publish, world } = user();
    world.webhook.status = 410;
    await publish('alarms/cellar', 'wet');
    const disabled = await until(async () => {
      const { body } = await call('/v1/routes/hook');
      return body.state === 'disabled' ? body : undefined;
    });
    expect(disabled.reason).toContain('410');
    world.webhook.status = 204;
  });
}

/** The last of {@link describeOperations} left a route disabled; a new task runs since. */
export function describeAfterRestart(user: () => User): void {
  test('a disabled route is so for a new task, until somebody resumes it', async () => {
    const { call, world } = user();
    const isDelivered = hasIn('alarms/cellar', '');
    const before = world.webhook.received.filter(isDelivered).length;
    expect((await call('/v1/routes/hook')).body.state).toBe('disabled');
    expect(world.webhook.received.filter(isDelivered)).toHaveLength(before);
    await call('/v1/routes/hook/resume', undefined, { method: 'POST' });
    await until(() => world.webhook.received.filter(isDelivered).length > before);
  });

  test('the bridge has said that it is there, and that it went', () => {
    const { received } = user();
    const said = received.filter(({ topic }) => topic === 'causeway/causeway-rooms-0/status');
    expect(said.map(({ text }) => text).slice(-2)).toEqual(['offline', 'online']);
  });

  test('every metric filter finds its numbers in the log', () => {
    const metrics = user().deployment.metrics();
    expect([...metrics.keys()]).toEqual(['severity']);
    // A route was disabled when the first task stopped.
    expect(metrics.get('severity')).toContain(2);
  });
}
