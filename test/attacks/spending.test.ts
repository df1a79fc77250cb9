// What one caller may spend of what belongs to all, over many instances of the api as Lambda has them: each takes one
// request at a time and counts by itself, and all share the table.
import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Hono } from 'hono';
import { afterAll, beforeAll, expect } from 'vitest';
import { windowMs } from '../../functions/api/access/allowance.ts';
import { takeInTable } from '../../functions/api/access/allowance-table.ts';
import type { ApiEnvironment } from '../../functions/api/access/api-environment.ts';
import { limitsSchema } from '../../functions/api/access/limits.ts';
import { principalOf } from '../../functions/api/access/scopes.ts';
import { createAllowances, freeReadUnits } from '../../functions/api/access/spending.ts';
import { createApi } from '../../functions/api/api.ts';
import { commandEndpoints } from '../../functions/api/commands/endpoints.ts';
import { createCommands } from '../../functions/api/commands/service.ts';
import { createCursors } from '../../functions/api/interface/cursor.ts';
import { messageEndpoints } from '../../functions/api/messages/endpoints.ts';
import { createReader } from '../../functions/api/messages/reader.ts';
import { pause } from '../../functions/contract/pause.ts';
import { createStore } from '../../functions/ingest/storing/message-store.ts';
import { localClient } from '../../infra/local/database.ts';
import { message } from '../support/messages.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { attack, slowdown, slowdownText } from './attack.ts';

const limits = limitsSchema.parse({ callerRequestsPerSecond: 1000 });
/** A query reads 1 MB, eventually consistent. */
const unitsOfQuery = 128;
const cursors = createCursors('a secret of the tests');

let table: TestTable;
beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

/** What the instances of one test have in common. */
interface World {
  readonly client: DynamoDBClient;
  readonly clock: { ms: number };
  /** Requests that the bridge holds, and the most at once. */
  readonly held: { now: number; most: number };
  readonly ends: AbortSignal;
}

function world(client: DynamoDBClient = table.client, ends = new AbortController().signal): World {
  return { client, clock: { ms: Date.now() }, held: { now: 0, most: 0 }, ends };
}

function instance({ client, clock, held, ends }: World): Hono<ApiEnvironment> {
  const database = { client, tableName: table.tableName };
  const commands = createCommands({
    ...database,
    async deliver({ timeoutMs }) {
      if (timeoutMs === 0) return [];
      held.most = Math.max(held.most, ++held.now);
      await pause(timeoutMs, ends);
      held.now--;
      return [];
    },
  });
  const now = () => clock.ms;
  return createApi({
    endpoints: [
      ...commandEndpoints(commands, cursors),
      ...messageEndpoints(createReader(database), cursors),
    ],
    authenticate: async (name) => principalOf(`token:${name}`, [{ kind: 'admin' }]),
    rateLimit: { requestsPerSecond: limits.callerRequestsPerSecond },
    allowances: createAllowances(limits, takeInTable(client, table.tableName), now),
  });
}

const send = (api: Hono<ApiEnvironment>, name: string, path: string, body?: unknown) =>
  api.request(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${name}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** Counts the calls and units that a client writes and reads. */
function counted(): { client: DynamoDBClient; count: { writes: number; readUnits: number } } {
  const client = localClient(table.endpoint);
  const count = { writes: 0, readUnits: 0 };
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName === QueryCommand.name)
          Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
        if (/Put|Update|Write|Delete/.test(commandName ?? '')) count.writes++;
        const result = await next(args);
        const { ConsumedCapacity } = result.output as {
          ConsumedCapacity?: { CapacityUnits: number };
        };
        if (commandName === QueryCommand.name)
          count.readUnits += ConsumedCapacity?.CapacityUnits ?? 0;
        return result;
      },
    { step: 'initialize' },
  );
  return { client, count };
}

attack(
  'one token sends bulks of 250 commands over 20 instances, without pause',
  async () => {
    const here = world();
    let accepted = 0;
    let refused = 0;
    const bulk = Array.from({ length: 250 }, (_, index) => ({
      topic: `bulk/${index}`,
      payload: 1,
      waitFor: 'none',
    }));
    // Two windows that touch, as a caller would choose them.
    here.clock.ms = (Math.floor(here.clock.ms / windowMs) + 1) * windowMs - 1;
    for (const _ of ['the end of a window', 'the beginning of the next']) {
      for (const api of Array.from({ length: 10 }, () => instance(here))) {
        const { status, headers } = await send(api, 'bulks', '/v1/publish/bulk', bulk);
        if (status === 200) accepted += bulk.length;
        else refused++;
        expect(status === 200 || (status === 429 && headers.has('retry-after'))).toBe(true);
      }
      here.clock.ms += 1;
    }
    const perSecond = limits.callerCommandsPerSecond;
    expect(accepted).toBeGreaterThanOrEqual(10 * perSecond);
    expect(accepted).toBeLessThanOrEqual(2 * 10 * perSecond);
    const other = await send(instance(here), 'other', '/v1/publish/bulk', bulk.slice(0, 2));
    expect(other.status).toBe(200);
    return `${accepted} of 5,000 taken at the edge of two windows, ${refused} bulks refused with 429; another token is served`;
  },
  120_000,
);

attack(
  'one token sends bulks of 20 commands of 50 KB, which are as much to write as 265',
  async () => {
    const here = world();
    const bulk = Array.from({ length: 20 }, (_, index) => ({
      topic: `large/${index}`,
      payload: 'x'.repeat(50_000),
      waitFor: 'none',
    }));
    const statuses: number[] = [];
    for (let number = 0; number < 5; number++)
      statuses.push((await send(instance(here), 'large', '/v1/publish/bulk', bulk)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    return '60 of 100 taken in a window of 1,000, then 429';
  },
);

/** Instances that an account has for all of its functions, as Lambda gives them out. */
class Account {
  readonly #idle: Hono<ApiEnvironment>[] = [];
  #busy = 0;
  readonly #world: World;
  readonly #most: number;

  constructor(here: World, most: number) {
    this.#world = here;
    this.#most = most;
  }

  /** Runs something in an instance; undefined where none is left, which Lambda answers with 429. */
  async run<T>(task: (api: Hono<ApiEnvironment>) => Promise<T>): Promise<T | undefined> {
    if (this.#busy >= this.#most) return undefined;
    this.#busy++;
    const api = this.#idle.pop() ?? instance(this.#world);
    try {
      return await task(api);
    } finally {
      this.#busy--;
      this.#idle.push(api);
    }
  }
}

attack(
  'one token sends 40 requests a second with waitFor "reply" and 25 s, in an account of 10 instances',
  async () => {
    const ends = new AbortController();
    const here = world(table.client, ends.signal);
    const account = new Account(here, 10);
    const store = createStore({ ...table, retentionDays: 1 });
    let number = 0;
    /** As the bridge does: what is throttled is sent again a little later. */
    const ingest = async () => {
      const one = message({ topic: 'rooms/kitchen', id: `i${number++}` });
      while ((await account.run(() => store.put([one]))) === undefined) {
        if (ends.signal.aborted) return;
        await delay(50);
      }
    };
    const statuses = new Map<number, number>();
    const sent: Promise<unknown>[] = [];
    const body = { topic: 'sleepy', payload: 1, waitFor: 'reply', timeoutSeconds: 25 };
    const attacking = async () => {
      const timer = setInterval(() => {
        here.clock.ms = Date.now();
        const one = account.run(async (api) => {
          const { status } = await send(api, 'waiting', '/v1/publish', body);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        });
        sent.push(one);
      }, 25);
      ends.signal.addEventListener('abort', () => clearInterval(timer));
      await delay(2000);
    };
    // Lets a starved ingest end, and with it the test.
    const rescue = setTimeout(() => ends.abort(), 30_000);
    const result = await slowdown(ingest, attacking, 100);
    const wasStarved = ends.signal.aborted;
    clearTimeout(rescue);
    ends.abort();
    await Promise.all(sent);
    expect(wasStarved).toBe(false);
    expect(here.held.most).toBeLessThanOrEqual(2 * limits.callerWaitingRequests);
    expect(statuses.get(202)).toBeGreaterThan(here.held.most);
    expect(result.ratio).toBeLessThan(50);
    return `${here.held.most} waited at a time, ${statuses.get(202)} were recorded and answered with 202; ingest: ${slowdownText(result)}`;
  },
  120_000,
);

/** Reads a topic's pages over 20 instances at once, in two windows that touch, as a caller would choose them. */
async function readAtOnce(topic: string, bytes: number, pageUnits: number): Promise<string> {
  const { client, count } = counted();
  const here = world(client);
  const store = createStore({ ...table, retentionDays: 1 });
  for (let id = 0; id < 10; id++) {
    const one = message({ topic, payload: Buffer.alloc(bytes, 'x'), id: `${topic}${id}` });
    expect(await store.put([one])).toEqual([]);
  }
  const apis = Array.from({ length: 20 }, () => instance(here));
  const perWindow = 10 * limits.callerReadUnitsPerSecond;
  let refused = 0;
  here.clock.ms = (Math.floor(here.clock.ms / windowMs) + 1) * windowMs - 1;
  const read: number[] = [];
  for (const _ of ['the end of a window', 'the beginning of the next']) {
    const before = count.readUnits;
    for (let round = 0; round < 6; round++) {
      const path = `/v1/messages?topic=${topic}&limit=10`;
      const answers = await Promise.all(apis.map((api) => send(api, topic, path)));
      refused += answers.filter(({ status }) => status === 429).length;
    }
    read.push(count.readUnits - before);
    here.clock.ms += 1;
  }
  client.destroy();
  // Beyond its limit a caller has in each instance what is free, and what is read at once, paid in the next window.
  for (const units of read)
    expect(units).toBeLessThanOrEqual(perWindow + 20 * (freeReadUnits + pageUnits));
  const [end = 0, beginning = 0] = read;
  const ofBoth = 2 * perWindow + 20 * (2 * freeReadUnits + pageUnits);
  expect(end + beginning).toBeLessThanOrEqual(ofBoth);
  expect(Math.min(end, beginning)).toBeGreaterThan(perWindow / 2);
  expect(refused).toBeGreaterThan(0);
  return `${Math.round(end)} and ${Math.round(beginning)} read units in two windows of ${perWindow}, ${refused} of 240 requests refused with 429`;
}

attack(
  'one token reads pages of large messages over 20 instances at once',
  () => readAtOnce('large', 200_000, unitsOfQuery),
  120_000,
);

// A query of their heads, and the chunks of one message: 900,000 bytes, consistent.
attack(
  'one token reads pages of messages in chunks over 20 instances at once',
  () => readAtOnce('chunks', 900_000, 1 + Math.ceil(900_000 / 4096) + 3),
  120_000,
);

attack('calls that store nothing and do not wait', async () => {
  const { client, count } = counted();
  const api = instance(world(client));
  for (const path of ['/v1/topics', '/v1/messages?topic=a', '/v1/commands?topic=a'])
    for (let number = 0; number < 20; number++)
      expect((await send(api, 'reader', path)).status).toBe(200);
  // When the token was last used: once an hour.
  const { writes } = count;
  expect(writes).toBeLessThanOrEqual(1);
  await client.send(
    new PutItemCommand({ TableName: table.tableName, Item: { pk: { S: 'x' }, sk: { S: 'x' } } }),
  );
  expect(count.writes).toBe(writes + 1);
  client.destroy();
  return `60 reads, ${writes} write, of when the token was last used`;
});
