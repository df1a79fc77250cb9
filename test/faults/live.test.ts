// Live messages while everything around them fails: ingest is out, bridges follow one another, instances of ingest have clocks
// of their own, and the reader comes back: each message once, those of a topic in order.
import { setTimeout as delay } from 'node:timers/promises';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import type { ApiEnvironment } from '../../functions/api/access/api-environment.ts';
import { knownScopes, principalOf } from '../../functions/api/access/scopes.ts';
import { liveEndpoints } from '../../functions/api/live/endpoints.ts';
import { createLive } from '../../functions/api/live/live.ts';
import { Readers } from '../../functions/api/live/readers.ts';
import { eventsOf, type StreamState } from '../../infra/cli/server-sent-events.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import type { BridgeProcess } from './rig/bridge-process.ts';
import { numberIn } from './rig/publisher.ts';
import { scaled, scaledMs } from './rig/random.ts';
import { type Rig, startRig } from './rig/rig.ts';

const name = `live messages ${hasMosquitto ? '' : needsMosquitto}`.trim();

/** How often what has come in the meantime is asked for, on AWS. */
const shortPollMs = 100;

/** An instance of the api. */
function startApi({ table, tableName }: Rig, streams: boolean) {
  const endpoints = liveEndpoints({
    live: createLive({ client: table.client, tableName, checkMs: 0, catchesUp: !streams }),
    readers: new Readers({ ofCaller: 20, ofAll: 200 }),
    streams,
  });
  const app = new Hono<ApiEnvironment>();
  app.use(async (context, next) => {
    context.set('principal', principalOf('token:admin', knownScopes(['admin'])));
    await next();
  });
  for (const { operation, handle } of endpoints) app.get(operation.path, handle);
  return app;
}

/** A client of `npm run tail`'s kind: reads until it is cut, and goes on with the last id, at any instance of the api. */
class Reader {
  /** Numbers by topic, as they came. */
  readonly told = new Map<string, number[]>();
  readonly missed: string[] = [];
  isReady = false;
  readonly #apis: readonly Hono<ApiEnvironment>[];
  readonly #state: StreamState = {};
  #cut = new AbortController();
  #isEnded = false;
  #asked = 0;
  readonly #reading: Promise<void>;

  constructor(apis: readonly Hono<ApiEnvironment>[]) {
    this.#apis = apis;
    this.#reading = this.#read();
  }

  get count(): number {
    return [...this.told.values()].reduce((sum, { length }) => sum + length, 0);
  }

  cut(): void {
    this.#cut.abort();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.cut();
    await this.#reading;
  }

  async #read(): Promise<void> {
    while (!this.#isEnded) {
      const api = this.#apis[this.#asked++ % this.#apis.length];
      const { lastEventId } = this.#state;
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      this.#cut = new AbortController();
      const { signal } = this.#cut;
      const response = await api?.request('/v1/messages/live', { headers });
      const body = response?.body?.getReader();
      signal.addEventListener('abort', () => void body?.cancel());
      for await (const { event, data } of eventsOf(chunksOf(body), this.#state)) {
        // What was on its way when the connection was cut has not come.
        if (signal.aborted) break;
        this.#take(event, data);
      }
      await delay(shortPollMs);
    }
  }

  #take(event: string, data: string): void {
    if (event === 'ready') this.isReady = true;
    if (event === 'missed') this.missed.push(data);
    if (event !== 'message') return;
    const { topic, payload, payloadBase64 = '' } = JSON.parse(data);
    const bytes = Buffer.from(payload ?? payloadBase64, payload === undefined ? 'base64' : 'utf8');
    this.told.set(topic, [...(this.told.get(topic) ?? []), numberIn(bytes) ?? Number.NaN]);
  }
}

async function* chunksOf(body: ReadableStreamDefaultReader<Uint8Array> | undefined) {
  for (;;) {
    const { done, value } = (await body?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) return;
    yield value;
  }
}

const isHolding = (bridge: BridgeProcess) => async () =>
  (await bridge.problems())?.some((line) => line.includes('holding'));

describe.skipIf(!hasMosquitto)(name, { timeout: scaledMs(120_000) }, () => {
  test.each([
    { streams: true, what: 'a stream' },
    { streams: false, what: 'short polls, as on AWS' },
  ])('$what: ingest is out, two bridges, clocks 4 s apart', async ({ streams, what }) => {
    const rig = await startRig({
      row: `live, ${what}`,
      clocksMs: [0, 2000, -2000],
      route: { maxBatch: 20, timeoutMs: 2000 },
      config: {},
    });
    const leases = { leaseTable: rig.tableName, leaseSeconds: 2 };
    const apis = [startApi(rig, streams), startApi(rig, streams)];
    const reader = new Reader(apis);
    let holder = rig.startBridge(leases);
    await until(() => holder.log.some((line) => line.includes('session started')));
    await holder.untilReady();
    await until(() => reader.isReady, { what: 'ready' });
    const standby = rig.startBridge(leases);
    const load = { perSecond: 400, topics: 10 };
    await rig.publisher.publish({ ...load, count: scaled(400) });

    rig.handler.fault = ({ response }) => void response.writeHead(503).end();
    const during = rig.publisher.publish({ ...load, count: scaled(1500) });
    await until(isHolding(holder), { what: 'the bridge holds' });
    await holder.kill();
    await until(isHolding(standby), { what: 'the other one holds' });
    holder = rig.startBridge(leases);
    await during;
    reader.cut();
    rig.handler.fault = undefined;
    // In the middle of what was held the reader is cut again and again, and the bridges change once more.
    const first = reader.count;
    for (const share of [0.2, 0.4, 0.6, 0.8]) {
      await until(() => reader.count - first > share * scaled(1500), {
        timeoutMs: scaledMs(60_000),
        what: 'more comes',
      });
      reader.cut();
      if (share === 0.4) void standby.stop();
    }
    await rig.publisher.publish({ ...load, count: scaled(400) });
    expect(await rig.settled()).toBe(true);
    await until(() => reader.count >= rig.publisher.acknowledged.size, {
      timeoutMs: scaledMs(30_000),
      what: 'all has come',
    }).catch(() => {});
    await reader.end();
    const sent = new Map<string, number[]>();
    for (const [number, { topic }] of rig.publisher.sent)
      sent.set(topic, [...(sent.get(topic) ?? []), number]);
    expect(reader.missed).toEqual([]);
    expect(new Map([...reader.told].toSorted())).toEqual(new Map([...sent].toSorted()));
    expect((await rig.verdict([holder])).faults).toEqual([]);
  });
});
