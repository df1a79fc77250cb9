// Live messages, from real tables: each once, those of a topic in order, over retries, several instances of ingest,
// readers that come back, and readers that are slow.
import { setTimeout as delay } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ApiEnvironment } from '../../../../functions/api/access/api-environment.ts';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import { liveEndpoints } from '../../../../functions/api/live/endpoints.ts';
import { createLive, type LiveOptions } from '../../../../functions/api/live/live.ts';
import { Readers } from '../../../../functions/api/live/readers.ts';
import { createRemoveMessages } from '../../../../functions/api/messages/removal.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { storageForms } from '../../../../functions/contract/storage-form.ts';
import { createFeedWriter } from '../../../../functions/feed/feed-writer.ts';
import { positionOf } from '../../../../functions/feed/position.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import {
  eventsOf,
  type ServerSentEvent,
  type StreamState,
} from '../../../../infra/cli/server-sent-events.ts';
import { message } from '../../../support/messages.ts';
import { packsAll, settings } from '../../../support/stored.ts';
import { startTable, type TestTable } from '../../../support/table.ts';
import { until } from '../../../support/wait.ts';

const checkMs = 0;
const caller = (...scopes: string[]) => principalOf(`token:${scopes}`, knownScopes(scopes));
const admin = caller('admin');

interface Bridge {
  notedMs?: number;
}

interface Parts extends Partial<LiveOptions> {
  readonly streams?: boolean;
  readonly readers?: Readers;
  readonly isStillAllowed?: () => Promise<boolean>;
  readonly signal?: AbortSignal;
  readonly onError?: (error: Error) => void;
}

for (const { engine, storage, name } of settings) {
  const otherForm = storageForms.find((form) => form !== storage) ?? storage;
  describe.skipIf(!engine.available)(name, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());
    const database = () => ({ client: table.client, tableName: table.tableName });

    /** The table's client, and what it was asked for. */
    function recording() {
      const asked: string[] = [];
      const client = Object.assign(Object.create(table.client), {
        send(command: { input: object }, ...rest: unknown[]) {
          asked.push(JSON.stringify(command.input));
          return (table.client.send as (...all: unknown[]) => unknown).call(
            table.client,
            command,
            ...rest,
          );
        },
      }) as typeof table.client;
      return { client, asked };
    }

    /** An instance of ingest. */
    function ingest(tableNow = Date.now, client = table.client, where = table) {
      const store = createStore({
        client: where.client,
        tableName: where.tableName,
        retentionDays: 3,
        writeShards: 2,
        note: createFeedWriter({ client, tableName: where.tableName, checkMs, tableNow }),
        ...packsAll,
      });
      /** `bridge` is who sends them: it carries from one instance to the next what was noted. */
      return async (messages: readonly Message[], form = storage, bridge?: Bridge) => {
        const onNoted = (notedMs: number) => {
          if (bridge !== undefined) bridge.notedMs = Math.max(notedMs, bridge.notedMs ?? 0);
        };
        const notedBefore = bridge && (bridge.notedMs ?? 'unknown');
        expect(await store.put(messages, { storage: form, notedBefore, onNoted })).toEqual([]);
      };
    }

    /** An instance of the api. */
    function api({
      streams = false,
      readers,
      isStillAllowed,
      signal,
      onError = (error) => expect(error).toBeUndefined(),
      ...live
    }: Parts = {}) {
      const endpoints = liveEndpoints({
        live: createLive({ ...database(), checkMs, pollMs: 0, catchesUp: !streams, ...live }),
        readers: readers ?? new Readers({ ofCaller: 20, ofAll: 200 }),
        streams,
        signal,
        onError,
        ...(live.now !== undefined && { now: live.now }),
      });
      return (query: string, who = admin, headers = {}) => {
        const app = new Hono<ApiEnvironment>();
        app.use(async (context, next) => {
          context.set('principal', who);
          if (isStillAllowed !== undefined) context.set('isStillAllowed', isStillAllowed);
          await next();
        });
        for (const { operation, handle } of endpoints) app.get(operation.path, handle);
        return app.request(`/v1/messages/live${query}`, { headers });
      };
    }

    /** A reader that asks again and again, at any of some instances of the api. */
    function reader(filter: string, who = admin, instances = [api()]) {
      const state: StreamState = {};
      const events: ServerSentEvent[] = [];
      return {
        events,
        state,
        messages: () =>
          events.filter(({ event }) => event === 'message').map(({ data }) => JSON.parse(data)),
        async poll() {
          const ask = instances[Math.floor(Math.random() * instances.length)] ?? api();
          const headers =
            state.lastEventId === undefined ? {} : { 'last-event-id': state.lastEventId };
          const response = await ask(`?filter=${encodeURIComponent(filter)}`, who, headers);
          expect(response.status).toBe(200);
          for await (const one of eventsOf(response.body as AsyncIterable<Uint8Array>, state))
            events.push(one);
        },
      };
    }

    const names = (messages: readonly { topic: string; id: string }[]) =>
      messages.map(({ topic, id }) => `${topic} ${id}`);
    const now = () => new Date().toISOString().replace('Z', '000Z');
    const fresh = (topic: string, more: Partial<Message> & { text?: string } = {}) =>
      message({ topic, time: now(), ...more });

    test('nobody watches, and nothing is noted', async () => {
      await ingest()([fresh('unwatched/a')]);
      const { Count } = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: 'feed-writers' } },
        }),
      );
      expect(Count).toBe(0);
    });

    test('messages as they are stored, alone, many in an item, and large ones', async () => {
      const put = ingest();
      const one = reader('kinds/#');
      await until(async () => {
        await one.poll();
        return one.events.some(({ event }) => event === 'ready');
      });
      const text = '{"lines":[\n1,\r\n2]}';
      const all = [
        fresh('kinds/lines', { text }),
        fresh('kinds/bytes', { payload: Buffer.from([0xff, 0]) }),
        fresh('kinds/large', { text: 'x'.repeat(500_000) }),
      ];
      await put(all);
      const others = Array.from({ length: 40 }, (_, index) => fresh(`kinds/${index % 7}`));
      await put(others, otherForm);
      await until(async () => {
        await one.poll();
        return one.messages().length >= 43;
      });
      expect(names(one.messages()).toSorted()).toEqual(names([...all, ...others]).toSorted());
      const told = one.messages();
      expect(told.find(({ topic }) => topic === 'kinds/lines').payload).toEqual({ lines: [1, 2] });
      expect(told.find(({ topic }) => topic === 'kinds/bytes').payloadBase64).toBe('/wA=');
      expect(told.find(({ topic }) => topic === 'kinds/large').payload).toHaveLength(500_000);
    });

    test('two instances of ingest, requests sent again, readers that come back anywhere: each once, in order', async () => {
      // Clocks that nobody set by those of others. A bridge has several requests under way, none with a topic of another.
      const differMs = 2000;
      const writers = [
        ingest(),
        ingest(() => Date.now() + differMs),
        ingest(() => Date.now() - differMs),
      ];
      // It has windows for a few messages only, and another one has none yet.
      const instances = [api(), api({ bounds: { maxMessages: 30 } })];
      const readers = [
        reader('once/#', admin, [...instances, api()]),
        reader('once/+', admin, [instances[1] as ReturnType<typeof api>]),
      ];
      for (const one of readers)
        await until(async () => {
          await one.poll();
          return one.events.some(({ event }) => event === 'ready');
        });
      const topics = Array.from({ length: 5 }, (_, index) => `once/${index}`);
      const stored: Message[] = [];
      /** Stores messages of a topic, one request after the other, by any instance; some are sent again. */
      const storing = topics.map(async (topic) => {
        let bridge: Bridge = {};
        for (let request = 0; request < 20; request++) {
          // Another one takes over, and knows nothing of what was before.
          if (request % 7 === 6) bridge = {};
          const batch = Array.from({ length: 1 + (request % 6) }, () => fresh(topic));
          stored.push(...batch);
          const times = request % 4 === 0 ? 2 : 1;
          for (let time = 0; time < times; time++) {
            const put = writers[Math.floor(Math.random() * writers.length)] ?? ingest();
            await put(batch, request % 3 === 0 ? otherForm : storage, bridge);
          }
        }
      });
      let isStoring = true;
      const polling = readers.map(async (one) => {
        while (isStoring) await one.poll();
        for (let more = 0; more < 3; more++) await one.poll();
      });
      await Promise.all(storing);
      isStoring = false;
      await Promise.all(polling);
      for (const one of readers)
        for (const topic of topics) {
          const ofTopic = ({ topic: its }: { topic: string }) => its === topic;
          const told = one.messages();
          expect(names(told.filter(ofTopic))).toEqual(names(stored.filter(ofTopic)));
        }
      expect(
        readers.flatMap(({ events }) => events).filter(({ event }) => event === 'missed'),
      ).toEqual([]);
    });

    test('what was held for long and stored late comes once, though its request was sent again', async () => {
      const [one, other] = [ingest(), ingest()];
      const late = reader('late/#');
      await late.poll();
      const time = new Date(Date.now() - 600_000).toISOString().replace('Z', '000Z');
      const held = Array.from({ length: 3 }, (_, index) =>
        message({ topic: `late/${index}`, time }),
      );
      await one(held);
      // The api starts again, and has not seen the first request.
      const again = reader('late/#');
      again.state.lastEventId = late.state.lastEventId;
      await late.poll();
      const since = late.state.lastEventId;
      await other([...held, fresh('late/new')]);
      await late.poll();
      const resumed = reader('late/#');
      resumed.state.lastEventId = since;
      await resumed.poll();
      await again.poll();
      expect(names(late.messages())).toHaveLength(4);
      expect(names(resumed.messages())).toEqual(names(late.messages()).slice(3));
      expect(names(again.messages()).toSorted()).toEqual(names(late.messages()).toSorted());
    });

    test('a request that two instances of ingest take at the same time, seen in another order by each api: once', async () => {
      const [ahead, behind] = [ingest(() => Date.now() + 2000), ingest(() => Date.now() - 2000)];
      const [one, other] = [api(), api()];
      const readers = [reader('race/#', admin, [one]), reader('race/#', admin, [other])];
      // The other one's window begins before, and so has all that the reader will want.
      for (const each of readers.toReversed()) await each.poll();
      const start = { 'last-event-id': readers[0]?.state.lastEventId ?? '' };
      const batch = Array.from({ length: 3 }, () => fresh('race/a'));
      await ahead(batch);
      await readers[1]?.poll();
      await behind(batch);
      for (const each of readers) await each.poll();
      for (const each of readers) expect(names(each.messages())).toEqual(names(batch));
      // Cut where it has all of the note that it saw first, and not yet the other one.
      const cut = reader('race/#', admin, [other]);
      const text = await (await one('?filter=race/%23', admin, start)).text();
      cut.state.lastEventId = [...text.matchAll(/^id: (.*)\nevent: message/gm)].at(-1)?.[1];
      await cut.poll();
      expect(cut.messages()).toEqual([]);
    });

    test('what another instance of the api sees in another order is not told again: a later note has an earlier time', async () => {
      const [ahead, behind] = [ingest(() => Date.now() + 2000), ingest(() => Date.now() - 2000)];
      // Not ready yet: what it tells ends with messages.
      const [one, other] = [api(), api({ checkMs: 600_000 })];
      const instances = [one];
      const reading = reader('turned/#', admin, instances);
      await reader('turned/#', admin, [other]).poll();
      await reading.poll();
      const [first, last] = [fresh('turned/a'), fresh('turned/b')];
      await ahead([first]);
      await reading.poll();
      await behind([last]);
      for (const next of [other, one]) {
        instances[0] = next;
        await reading.poll();
        expect(names(reading.messages())).toEqual(names([first, last]));
      }
    });

    test('who was cut in the middle of a note goes on there, also where another one comes before it by now', async () => {
      const [ahead, behind] = [ingest(() => Date.now() + 2000), ingest(() => Date.now() - 2000)];
      const [one, other] = [api(), api()];
      const start = reader('middle/#', admin, [one]);
      await start.poll();
      const batch = [fresh('middle/a'), fresh('middle/b')];
      await ahead(batch);
      const headers = { 'last-event-id': start.state.lastEventId ?? '' };
      const text = await (await one('?filter=middle/%23', admin, headers)).text();
      const cut = reader('middle/#', admin, [other]);
      cut.state.lastEventId = /^id: (.*)\nevent: message/m.exec(text)?.[1];
      const last = fresh('middle/c');
      await behind([last]);
      for (let poll = 0; poll < 2; poll++) {
        await cut.poll();
        expect(names(cut.messages()).toSorted()).toEqual(
          names([...batch.slice(1), last]).toSorted(),
        );
      }
    });

    test('what is deleted is given no more, also where others had it before; deletions are read again only then', async () => {
      const { client, asked } = recording();
      const instances = [api({ client })];
      const one = reader('deleted/#', admin, instances);
      await one.poll();
      const since = one.state.lastEventId;
      const put = ingest();
      const time = new Date(Date.now() - 5000).toISOString().replace('Z', '000Z');
      const batch = [message({ topic: 'deleted/a', time }), message({ topic: 'deleted/b', time })];
      await put(batch);
      await one.poll();
      expect(names(one.messages())).toEqual(names(batch));
      const remove = createRemoveMessages({ ...database(), writeShards: 2 });
      await remove({ topic: 'deleted/a', to: new Date(Date.now() - 2000).toISOString() });
      await put([message({ topic: 'deleted/a', time }), fresh('deleted/c')]);
      await one.poll();
      expect(one.messages().map(({ topic }) => topic)).toEqual([
        'deleted/a',
        'deleted/b',
        'deleted/c',
      ]);
      for (const ask of [...instances, api()]) {
        const other = reader('deleted/#', admin, [ask]);
        other.state.lastEventId = since;
        await other.poll();
        expect(other.messages().map(({ topic }) => topic)).toEqual(['deleted/b', 'deleted/c']);
      }
      // Before the deletion, and after it.
      expect(asked.filter((input) => input.includes('"deletions"'))).toHaveLength(2);
    });

    test('a reader sees what it may read alone', async () => {
      const put = ingest();
      const [own, none] = [
        reader('#', caller('read:mine/#')),
        reader('theirs/#', caller('read:mine/#')),
      ];
      await own.poll();
      await none.poll();
      await put([fresh('mine/a'), fresh('theirs/a')]);
      await own.poll();
      await none.poll();
      expect(own.messages().map(({ topic }) => topic)).toEqual(['mine/a']);
      expect(none.messages()).toEqual([]);
      // Another one's cursor gives no more.
      const taken = reader('#', caller('read:theirs/#'));
      taken.state.lastEventId = none.state.lastEventId;
      await put([fresh('mine/b')]);
      await taken.poll();
      expect(taken.messages().map(({ topic }) => topic)).not.toContain('mine/b');
    });

    test('who comes back after the watch has ended is told since when', async () => {
      const own = await startTable(engine);
      onTestFinished(() => own.close());
      const place = { client: own.client, tableName: own.tableName };
      const early = reader('gone/#', admin, [api(place)]);
      await early.poll();
      const nowLater = () => Date.now() + 2 * 3_600_000;
      const later = reader('gone/#', admin, [api({ ...place, now: nowLater })]);
      later.state.lastEventId = early.state.lastEventId;
      await later.poll();
      const missed = later.events.find(({ event }) => event === 'missed');
      expect(JSON.parse(missed?.data ?? '{}')).toMatchObject({ reason: 'expired' });
      const { from, to } = JSON.parse(missed?.data ?? '{}');
      expect(Date.parse(to) - Date.parse(from)).toBeGreaterThan(3_600_000);
      await later.poll();
      expect(later.events.filter(({ event }) => event === 'missed')).toHaveLength(1);
      // And it sees what is stored from now on.
      await ingest(nowLater, own.client, own)([fresh('gone/a')]);
      await later.poll();
      expect(later.messages()).toHaveLength(1);
    });

    test('the shared window is given up when nobody has read for a while, and kept until then', async () => {
      const put = ingest();
      const { client, asked } = recording();
      for (const [idleMs, isKept] of [
        [60_000, true],
        [0, false],
      ] as const) {
        const instances = [api({ client, idleMs })];
        const one = reader('idle/#', admin, instances);
        await one.poll();
        await put([fresh('idle/a')]);
        await until(async () => {
          await one.poll();
          return one.messages().length === 1;
        });
        const [[writer, key] = ['', '']] = positionOf(one.state.lastEventId ?? '')?.seen ?? [];
        await delay(10);
        asked.length = 0;
        await reader('idle/#', admin, instances).poll();
        // A window that begins does not know where the other one was.
        const first = asked.find((input) => input.includes(`"feed/${writer}"`));
        expect(first?.includes(key)).toBe(isKept);
      }
    });

    test('what could not be noted is told, and stored all the same', async () => {
      const one = reader('lost/#');
      await one.poll();
      let fails = false;
      const client = Object.assign(Object.create(table.client), {
        send: (command: { input: { RequestItems?: object } }, ...rest: unknown[]) =>
          fails && JSON.stringify(command.input.RequestItems ?? '').includes('"feed')
            ? Promise.reject(new Error('no note'))
            : (table.client.send as (...all: unknown[]) => unknown).call(
                table.client,
                command,
                ...rest,
              ),
      }) as typeof table.client;
      const put = ingest(Date.now, client);
      await put([fresh('lost/a')]);
      fails = true;
      await put([fresh('lost/b')]);
      fails = false;
      await put([fresh('lost/c')]);
      await one.poll();
      expect(one.messages().map(({ topic }) => topic)).toEqual(['lost/a', 'lost/c']);
      const missed = one.events.filter(({ event }) => event === 'missed');
      expect(missed.map(({ data }) => JSON.parse(data).reason)).toEqual(['not-noted']);
    });

    test('a stream: ready, messages, and its end where the token is revoked; readers are counted', async () => {
      const readers = new Readers({ ofCaller: 1, ofAll: 2 });
      const ask = api({ streams: true, readers });
      const response = await ask('?filter=stream/%23');
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      expect((await ask('')).status).toBe(429);
      const other = await ask('', caller('read:x'));
      expect((await ask('', caller('read:y'))).status).toBe(429);
      await other.body?.cancel();
      await (await ask('', caller('read:y'))).body?.cancel();

      const events = eventsOf(response.body as AsyncIterable<Uint8Array>, {});
      expect((await events.next()).value).toMatchObject({ event: 'ready' });
      const put = ingest();
      await put([fresh('stream/a')]);
      expect((await events.next()).value).toMatchObject({ event: 'message' });
      await events.return(undefined);
      await response.body?.cancel().catch(() => {});
      await until(async () => (await ask('')).status === 200);
    });

    test('streams end before the table goes: nothing fails, and nobody is counted any more', async () => {
      const readers = new Readers({ ofCaller: 1, ofAll: 1 });
      const ending = new AbortController();
      const errors: Error[] = [];
      const onError = (error: Error) => errors.push(error);
      let isGone = false;
      const client = Object.assign(Object.create(table.client), {
        send: (...all: unknown[]) =>
          isGone
            ? Promise.reject(new Error('the table has gone'))
            : (table.client.send as (...all: unknown[]) => unknown).apply(table.client, all),
      }) as typeof table.client;
      const ask = api({ streams: true, readers, signal: ending.signal, onError, client });
      const stream = await ask('?filter=ending/%23');
      const events = eventsOf(stream.body as AsyncIterable<Uint8Array>, {});
      expect((await events.next()).value).toMatchObject({ event: 'ready' });
      const next = events.next();
      ending.abort();
      isGone = true;
      expect((await next).done).toBe(true);
      isGone = false;
      // One that is opened all the same ends at once.
      expect(await (await ask('')).text()).not.toContain('ready');
      expect((await ask('')).status).toBe(200);
      expect(errors).toEqual([]);
    });

    test('a slow reader is told what it missed, and can read that from where it was', async () => {
      const put = ingest();
      const ask = api({ streams: true, bounds: { maxMessages: 50 } });
      const slow = await ask('?filter=slow/%23');
      const state: StreamState = {};
      const events = eventsOf(slow.body as AsyncIterable<Uint8Array>, state);
      expect((await events.next()).value).toMatchObject({ event: 'ready' });
      const quick = await ask('?filter=slow/%23');
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { event, data } of eventsOf(quick.body as AsyncIterable<Uint8Array>, {})) {
          if (event === 'message') seen.push(JSON.parse(data).id);
          if (seen.length === 300) break;
        }
      })();
      const stored: Message[] = [];
      for (let round = 0; round < 10; round++) {
        const batch = Array.from({ length: 30 }, () => fresh('slow/a'));
        stored.push(...batch);
        await put(batch);
        await until(() => seen.length === stored.length);
      }
      await reading;
      expect(seen).toEqual(stored.map(({ id }) => id));
      await put([fresh('slow/b')]);
      let missed: { reason?: string; after?: string } | undefined;
      for await (const { event, data } of events) {
        if (event === 'missed') missed = JSON.parse(data);
        if (event === 'missed') break;
      }
      expect(missed?.reason).toBe('slow');
      const resumed = reader('slow/#');
      resumed.state.lastEventId = missed?.after;
      await until(async () => {
        await resumed.poll();
        return resumed.messages().length >= 301;
      });
      expect(names(resumed.messages()).slice(0, 300)).toEqual(names(stored));
    });

    test.each(['x', 'a'.repeat(10_000), '000000000.'])(
      'what is no cursor is refused (%#)',
      async (after) => {
        expect((await api()(`?after=${after}`)).status).toBe(400);
        expect((await api()('', admin, { 'last-event-id': after })).status).toBe(400);
      },
    );
  });
}
