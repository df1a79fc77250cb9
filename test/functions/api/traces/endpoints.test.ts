// The trace of a message over HTTP: what is kept, what the bridge still has, and who may see it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { traceTable } from '../../../../bridge/forwarding/trace-table.ts';
import { traceEndpoints } from '../../../../functions/api/traces/endpoints.ts';
import { createTraceReader } from '../../../../functions/api/traces/reader.ts';
import { maxIdBytes } from '../../../../functions/contract/message.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import type { RouteStatus } from '../../../../functions/contract/route-status.ts';
import type { Trace } from '../../../../functions/contract/trace.ts';
import { call } from '../../../support/endpoints.ts';
import { principal } from '../../../support/principals.ts';
import { engines, type TestTable } from '../../../support/table.ts';
import { until } from '../../../support/wait.ts';

const reader = principal('reader', { read: 'rooms/#' });

function trace(parts: Partial<Trace> = {}): Trace {
  return {
    route: 'hooks',
    topic: 'rooms/1',
    time: new Date().toISOString(),
    state: 'delivered',
    settledAt: new Date().toISOString(),
    tries: 1,
    attempts: [
      { at: new Date().toISOString(), latencyMs: 3, status: 503, verdict: 'held', messages: 7 },
    ],
    ...parts,
  };
}

function route(name: string, filter: string): RouteStatus {
  return {
    name,
    filter,
    handler: 'hooks.example.com',
    state: 'holding',
    reason: 'the handler answered 503',
    sessions: [{ state: 'active' }],
    unsettledMessages: 3,
    requestsInFlight: 1,
    concurrencyLimit: 4,
    deliveredPerSecond: 0,
    receivedMessages: 10,
    deliveredMessages: 7,
    retriedMessages: 3,
    quarantinedMessages: 0,
  };
}

describe.each(engines.filter(({ available }) => available))('on $name', (engine) => {
  let table: TestTable;
  let lost = 0;
  beforeAll(async () => {
    table = await engine.start();
  });
  afterAll(() => table.close());

  async function keep(messageId: string, kept: Trace, retentionDays = 30): Promise<void> {
    const store = traceTable({ ...table, retentionDays, onLost: (count) => (lost += count) });
    store.keep(messageId, kept);
    await store.drain(new AbortController().signal);
  }

  /** Asks with what the bridge says, or while it is away. */
  function ask(id: string, { waiting = [] as Trace[], isAway = false, who = reader } = {}) {
    const traces = createTraceReader({
      ...table,
      waiting: async () => (isAway ? undefined : waiting),
    });
    const routes = [route('hooks', 'rooms/+'), route('store', '#'), route('other', 'a')];
    const list = async () =>
      isAway
        ? { ok: false as const, problem: problem('bridge-unavailable') }
        : { ok: true as const, value: routes };
    return call(traceEndpoints(traces, { list }), who, `/v1/messages/trace?id=${id}`);
  }

  test('a kept one, with the routes that match', async () => {
    const kept = trace();
    await keep('m1', kept);
    const { status, body } = await ask('m1');
    expect(status).toBe(200);
    expect(body).toMatchObject({ messageId: 'm1', traces: [kept] });
    expect(body.routes.map(({ name }: { name: string }) => name)).toEqual(['hooks', 'store']);
    expect(body.routes[0]).toMatchObject({ state: 'holding', retriedMessages: 3 });
  });

  test('one of each route; what waits again goes before what was kept', async () => {
    await keep('m2', trace({ route: 'hooks' }));
    await keep('m2', trace({ route: 'store' }));
    const again = trace({ route: 'hooks', state: 'waiting', tries: 5 });
    const { body } = await ask('m2', { waiting: [again] });
    expect(body.traces.map(({ route: name, state }: Trace) => [name, state])).toEqual([
      ['hooks', 'waiting'],
      ['store', 'delivered'],
    ]);
  });

  test('by the id of a dead letter', async () => {
    await keep('id#/with ü', trace({ state: 'quarantined' }));
    const letter = Buffer.from('2026-01-31T12:00:00.000000Z#id#/with ü').toString('base64url');
    expect((await ask(`${letter}`)).body).toMatchObject({
      messageId: 'id#/with ü',
      traces: [{ state: 'quarantined' }],
    });
    expect((await ask(encodeURIComponent('id#/with ü'))).status).toBe(200);
  });

  test('an id that is missing, empty, or too long for any is a wrong request', async () => {
    for (const id of ['', 'x'.repeat(10_000)]) expect((await ask(id)).status).toBe(400);
  });

  test('an id that no message can have is not found, however long', async () => {
    const longest = 'x'.repeat(maxIdBytes);
    for (const id of [`${longest}x`, 'ü'.repeat(500)]) {
      expect((await ask(`${encodeURIComponent(id)}`)).status).toBe(404);
      expect((await ask(`${encodeURIComponent(id)}&topic=rooms/1`)).status).toBe(404);
      expect((await ask(`${encodeURIComponent(id)}&topic=secret/1`)).status).toBe(403);
    }
    expect((await ask(`${longest}&topic=rooms/1`)).status).toBe(200);
  });

  test('without trouble there are only the routes, where the topic is told', async () => {
    expect((await ask('m3')).status).toBe(404);
    const { body } = await ask('m3&topic=rooms/9');
    expect(body.traces).toEqual([]);
    expect(body.routes).toHaveLength(2);
  });

  test('what is expired, or of a topic that may not be read, is not there', async () => {
    await keep('m4', trace({ time: '2020-01-01T00:00:00.000000Z' }), 1);
    await keep('m5', trace({ topic: 'secret/1' }));
    expect((await ask('m4')).status).toBe(404);
    expect((await ask('m5')).status).toBe(404);
    expect((await ask('m5&topic=secret/1')).status).toBe(403);
    expect((await ask('m5&topic=rooms/1')).body.traces).toEqual([]);
  });

  test('a bridge that is away: what is kept is told all the same', async () => {
    await keep('m6', trace());
    const { status, body } = await ask('m6', { isAway: true });
    expect(status).toBe(200);
    expect(body.traces).toHaveLength(1);
    expect(body.routes).toBeUndefined();
    expect((await ask('m7', { isAway: true })).status).toBe(503);
  });

  test('thousands at once are written, or counted', async () => {
    lost = 0;
    const store = traceTable({ ...table, retentionDays: 30, onLost: (count) => (lost += count) });
    for (let index = 0; index < 1000; index++) store.keep(`many-${index}`, trace());
    await store.drain(new AbortController().signal);
    expect(lost).toBe(0);
    await until(async () => (await ask('many-999')).status === 200);
  });
});
