// Replays from a real table: what is stored goes to a route's handler again, marked, in order, and as fast as asked.
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Leases } from '../../../bridge/base/lease.ts';
import { leaseTable } from '../../../bridge/base/lease-table.ts';
import type { Acquire } from '../../../bridge/base/leased.ts';
import {
  createReplay,
  type ReplayVerdict,
} from '../../../bridge/dead-letters/dead-letter-replay.ts';
import { findInTable, tableDeadLetters } from '../../../bridge/dead-letters/dead-letter-table.ts';
import { traceTable } from '../../../bridge/forwarding/trace-table.ts';
import type { TraceStore } from '../../../bridge/forwarding/traces.ts';
import { createReplayTable } from '../../../bridge/replays/replay-table.ts';
import { type Replays, startReplays } from '../../../bridge/replays/replays.ts';
import {
  type Replays as ApiReplays,
  createReplays,
} from '../../../functions/api/replays/replay-store.ts';
import { createTraceReader } from '../../../functions/api/traces/reader.ts';
import type { Message } from '../../../functions/contract/message.ts';
import type { Trace } from '../../../functions/contract/trace.ts';
import { createStore } from '../../../functions/ingest/storing/message-store.ts';
import type { ReplayRequest } from '../../../functions/table/replay.ts';
import { localClient } from '../../../infra/local/database.ts';
import { message } from '../../support/messages.ts';
import { packsAll, settings } from '../../support/stored.ts';
import type { TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const answered: ReplayVerdict = { kind: 'answered', failures: new Map(), duplicates: 0 };
const away: ReplayVerdict = {
  kind: 'hold',
  reason: 'status 503',
  overloaded: false,
  broken: false,
};
const log = pino({ level: 'silent' });
const unhurried = () => new AbortController().signal;

const available = settings.filter(({ engine }) => engine.available);

describe.each(available)('$name', ({ engine, storage }) => {
  let table: TestTable;
  let api: ApiReplays;
  let bridges: Replays[];
  let traceStore: TraceStore;
  /** What the handler got, in order; `verdictOf` says how it answers. */
  let got: Message[];
  let verdictOf: (messages: readonly Message[]) => ReplayVerdict | Promise<ReplayVerdict>;

  beforeEach(async () => {
    table = await engine.start();
    bridges = [];
    traceStore = traceTable({ ...table, retentionDays: 10_000, onLost: () => undefined });
    got = [];
    verdictOf = () => answered;
    api = createReplays({
      ...table,
      // Messages of tests are from 2027.
      now: () => Date.parse('2030-01-01T00:00:00Z'),
      wake: async () => {
        for (const bridge of bridges) bridge.wake();
        return 'woken';
      },
    });
  });
  afterEach(async () => {
    await Promise.all(bridges.map((bridge) => bridge.drain(unhurried())));
    await table.close();
  });

  async function take(messages: readonly Message[]): Promise<ReplayVerdict> {
    const verdict = await verdictOf(messages);
    if (verdict.kind === 'answered') got.push(...messages);
    return verdict;
  }

  function start({ writeShards = 1, leases = false, client = table.client } = {}): Replays {
    const store = leaseTable(table.tableName, table.client);
    const own = new Leases({ store, leaseMs: 2000, log });
    const acquire: Acquire = (...wanted) => own.acquire(...wanted);
    const routes = [
      {
        config: { name: 'hooks', maxBatch: 10, maxBatchBytes: 1_000_000 },
        send: take,
        deliveredMessages: () => 0,
      },
    ];
    const replays = startReplays({
      table: createReplayTable(client, table.tableName),
      source: { client, tableName: table.tableName },
      writeShards,
      pollSeconds: 1,
      routes,
      traceStore,
      replayDeadLetter: createReplay(findInTable(table.tableName, table.client), routes),
      acquire: leases ? acquire : undefined,
      leaseName: 'causeway-replays',
      log,
    });
    bridges.push(replays);
    return replays;
  }

  async function store(messages: readonly Message[], writeShards = 1): Promise<void> {
    const options = { ...table, retentionDays: 10_000, writeShards, ...packsAll };
    expect(await createStore(options).put(messages, { storage })).toEqual([]);
  }

  async function ask(request: Partial<ReplayRequest> = {}): Promise<string> {
    const result = await api.start({
      source: 'messages',
      filter: '#',
      messagesPerSecond: 10_000,
      dryRun: false,
      ...(request.source !== 'dead-letters' && { route: 'hooks' }),
      ...request,
    });
    if (!result.ok) throw new Error(result.problem.code);
    return result.replay.id;
  }

  async function ended(id: string) {
    const over = async () => {
      const status = (await api.find(id))?.status ?? '';
      return ['done', 'failed', 'cancelled'].includes(status);
    };
    await until(over, { what: 'the end of the replay' });
    return api.find(id);
  }

  /** Messages of three topics, in turns. */
  function many(count: number): Message[] {
    return Array.from({ length: count }, (_, index) =>
      message({ topic: `rooms/${index % 3}/state`, text: String(index) }),
    );
  }

  test('what it had refused is in a trace of its own, beside that of the route', async () => {
    const [good, bad] = ['rooms/good', 'rooms/bad'].map((topic) => message({ topic }));
    await store([good, bad] as Message[]);
    const { id: badId = '', topic = '', time = '' } = bad ?? {};
    const own: Trace = { route: 'hooks', topic, time, state: 'delivered', tries: 2, attempts: [] };
    traceStore.keep(badId, own);
    verdictOf = (messages) =>
      messages.some((one) => one.topic === topic)
        ? { kind: 'rejected', reason: 'status 422' }
        : answered;
    start();
    const id = await ask({ filter: 'rooms/+' });
    expect(await ended(id)).toMatchObject({ progress: { delivered: 1, refused: 1 } });
    await traceStore.drain(unhurried());
    const { traces } = await createTraceReader({ ...table, waiting: async () => [] }).find(badId);
    expect(traces).toMatchObject([
      own,
      {
        route: 'hooks',
        replayId: id,
        state: 'refused',
        tries: 2,
        attempts: [{ messages: 2 }, { verdict: 'rejected', reason: 'status 422', messages: 1 }],
      },
    ]);
    expect(traces[0]?.replayId).toBeUndefined();
  });

  test.each([1, 4])('all of a filter, in order, marked, from %i shards', async (writeShards) => {
    const wanted = many(60);
    const others = ['other', 'rooms/0/other'].map((topic) => message({ topic }));
    await store([...wanted, ...others], writeShards);
    start({ writeShards });
    const id = await ask({ filter: 'rooms/+/state' });
    expect(await ended(id)).toMatchObject({
      status: 'done',
      progress: { total: 60, delivered: 60, refused: 0 },
    });
    expect(got).toHaveLength(60);
    for (const [index, topic] of ['rooms/0/state', 'rooms/1/state', 'rooms/2/state'].entries()) {
      const sent = got.filter((one) => one.topic === topic);
      const stored = wanted.filter((_, number) => number % 3 === index);
      expect(sent.map((one) => [one.id, one.time, String(one.payload)])).toEqual(
        stored.map((one) => [one.id, one.time, String(one.payload)]),
      );
      expect(sent.every(({ replayId }) => replayId === id)).toBe(true);
    }
  });

  test('only the times that were asked for; large ones whole', async () => {
    const all = many(9);
    const large = message({ topic: 'rooms/large', payload: Buffer.alloc(900_000, 'ab') });
    await store([...all, large]);
    start();
    await ended(await ask({ from: all[3]?.time, to: all[6]?.time }));
    expect(got.map(({ id }) => id).toSorted()).toEqual(
      all
        .slice(3, 6)
        .map(({ id }) => id)
        .toSorted(),
    );
    got = [];
    await ended(await ask({ filter: 'rooms/large' }));
    expect(got[0]?.payload.byteLength).toBe(900_000);
  });

  test('a dry run counts and sends nothing', async () => {
    await store(many(30));
    start();
    const id = await ask({ dryRun: true });
    expect(await ended(id)).toMatchObject({
      status: 'done',
      progress: { total: 30, delivered: 0 },
    });
    expect(got).toEqual([]);
  });

  test('an outage is waited for and told; cancelled, nothing more is sent', async () => {
    await store(many(30));
    verdictOf = () => (got.length < 10 ? answered : away);
    start();
    const id = await ask();
    await until(async () => (await api.find(id))?.progress.waiting === 'status 503', {
      what: 'the reason',
    });
    expect((await api.cancel(id))?.status).toBe('cancelled');
    // One runs after the other: once the next one has ended, the bridge has read of the cancel.
    const next = await ask({ filter: 'rooms/0/state', dryRun: true });
    expect((await ended(next))?.progress.total).toBe(10);
    verdictOf = () => answered;
    await ended(await ask({ filter: 'rooms/0/state', dryRun: true }));
    expect(got).toHaveLength(10);
    expect((await api.find(id))?.status).toBe('cancelled');
  });

  test('a route that the bridge does not have', async () => {
    start();
    const id = await ask({ route: 'gone' });
    expect(await ended(id)).toMatchObject({
      status: 'failed',
      progress: { reason: 'the bridge does not have this route' },
    });
  });

  test('a database that is away in between is waited for; nothing is left out or comes in another order', async () => {
    const wanted = many(60);
    await store(wanted);
    const client = localClient(table.endpoint);
    onTestFinished(() => client.destroy());
    let refusedCalls = 0;
    let isAway = false;
    client.middlewareStack.add(
      (next) => async (args) => {
        if (!isAway) return next(args);
        refusedCalls++;
        throw new Error('no answer');
      },
      { step: 'initialize' },
    );
    verdictOf = () => {
      isAway = got.length >= 20 && refusedCalls === 0;
      return answered;
    };
    const replays = start({ client });
    const id = await ask();
    await until(() => refusedCalls > 0);
    isAway = false;
    replays.wake();
    expect(await ended(id)).toMatchObject({
      status: 'done',
      progress: { total: 60, delivered: 60, refused: 0 },
    });
    const firstTimes = [...new Map(got.map((one) => [one.id, one])).values()];
    for (const index of [0, 1, 2])
      expect(firstTimes.filter(({ topic }) => topic === `rooms/${index}/state`)).toMatchObject(
        wanted.filter((_, number) => number % 3 === index).map((one) => ({ id: one.id })),
      );
  });

  test('a bridge that stops is followed by another one, which goes on', async () => {
    const wanted = many(300);
    await store(wanted);
    const first = start({ leases: true });
    start({ leases: true });
    const id = await ask({ messagesPerSecond: 500 });
    await until(() => got.length > 60, { what: 'some messages' });
    await first.drain(unhurried());
    expect((await ended(id))?.status).toBe('done');
    // A clean stop leaves off where it is: nothing is sent twice.
    expect(got.map((one) => one.id).toSorted()).toEqual(wanted.map((one) => one.id).toSorted());
  });

  test('the dead letters by filter and route: taken ones leave it, refused ones stay', async () => {
    const deadLetters = tableDeadLetters(table.tableName, table.client);
    const put = (topic: string, route: string, reason = 'status 422') =>
      deadLetters.put({
        route,
        reason,
        attempts: 1,
        quarantinedAt: new Date().toISOString(),
        message: message({ topic }),
      });
    for (const topic of ['rooms/1', 'rooms/2', 'rooms/bad', 'other']) await put(topic, 'hooks');
    await put('rooms/1', 'elsewhere');
    verdictOf = ([one]) =>
      one?.topic === 'rooms/bad' ? { kind: 'rejected', reason: 'status 422' } : answered;
    start();
    const dry = await ask({
      source: 'dead-letters',
      filter: 'rooms/#',
      route: 'hooks',
      dryRun: true,
    });
    expect((await ended(dry))?.progress.total).toBe(3);
    await put('rooms/1', 'hooks', 'status 400');
    const ofReason = { filter: 'rooms/#', route: 'hooks', deadLetterReason: 'status 400' };
    const one = await ask({ source: 'dead-letters', ...ofReason });
    expect((await ended(one))?.progress).toMatchObject({ total: 1, delivered: 1 });
    expect(await deadLetters.count()).toBe(5);
    const id = await ask({ source: 'dead-letters', filter: 'rooms/#', route: 'hooks' });
    expect(await ended(id)).toMatchObject({
      status: 'done',
      progress: {
        total: 3,
        delivered: 2,
        refused: 1,
        refusals: [{ topic: 'rooms/bad', reason: 'status 422' }],
      },
    });
    expect(await deadLetters.count()).toBe(3);
  });

  test('no more than twenty wait', async () => {
    for (let index = 0; index < 20; index++) await ask();
    await expect(ask()).rejects.toThrow('rate-limited');
  });
});
