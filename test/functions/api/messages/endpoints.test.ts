// Stored messages over HTTP, from real tables: by topic and time, by filter, and only what the caller may read.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { messageEndpoints } from '../../../../functions/api/messages/endpoints.ts';
import { createReader } from '../../../../functions/api/messages/reader.ts';
import { envelopeBatchType } from '../../../../functions/contract/envelope.ts';
import { timeStepMs } from '../../../../functions/index-runs/reference.ts';
import {
  createStore,
  type PutOptions,
} from '../../../../functions/ingest/storing/message-store.ts';
import { call } from '../../../support/endpoints.ts';
import { message } from '../../../support/messages.ts';
import { principal } from '../../../support/principals.ts';
import { fc } from '../../../support/property.ts';
import { packsAll, settings } from '../../../support/stored.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

const cursors = createCursors('a secret of the tests');
const reader = principal('reader', { read: '#' });
const nowMs = Date.now();
const at = (offsetMs: number) => new Date(nowMs + offsetMs).toISOString().replace('Z', '000Z');

/** The ids of an answer's messages, in one line. */
const ids = (body: { messages: { id: string }[] }) => body.messages.map(({ id }) => id).join(' ');

for (const { engine, storage, name } of settings) {
  describe.skipIf(!engine.available)(name, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());

    const endpoints = (writeShards = 1, now = Date.now) =>
      messageEndpoints(
        createReader({ client: table.client, tableName: table.tableName, writeShards, now }),
        cursors,
      );
    const get = (path: string, who = reader, headers: Record<string, string> = {}) =>
      call(endpoints(), who, path, { headers });

    async function store(
      messages: Parameters<typeof message>[0][],
      { writeShards = 1, ...options }: PutOptions & { writeShards?: number } = {},
    ) {
      const target = createStore({
        client: table.client,
        tableName: table.tableName,
        retentionDays: 30,
        writeShards,
        ...packsAll,
      });
      const given = messages.map((parts) => message(parts));
      expect(await target.put(given, { storage, ...options })).toEqual([]);
    }

    /** All pages of a list, as the ids of each. */
    async function pages(path: string, from = endpoints()): Promise<string[]> {
      const seen: string[] = [];
      let cursor = '';
      for (let count = 0; count < 100; count++) {
        const { body } = await call(from, reader, `${path}${cursor}`);
        seen.push(ids(body));
        if (body.nextCursor === undefined) return seen;
        cursor = `&cursor=${body.nextCursor}`;
      }
      throw new Error('the list does not end');
    }

    describe('GET /v1/messages', () => {
      beforeAll(() =>
        store(
          Array.from({ length: 10 }, (_, index) => ({
            topic: 'list/a',
            id: `m${index}`,
            time: at(index * 1000),
          })),
        ),
      );

      test('newest first', async () => {
        expect(ids((await get('/v1/messages?topic=list/a&limit=3')).body)).toBe('m9 m8 m7');
      });

      test('oldest first', async () => {
        const { body } = await get('/v1/messages?topic=list/a&limit=3&order=oldest');
        expect(ids(body)).toBe('m0 m1 m2');
      });

      test('pages with cursors to the end, without a gap or a repetition', async () => {
        const newest = await pages('/v1/messages?topic=list/a&limit=4');
        expect(newest).toEqual(['m9 m8 m7 m6', 'm5 m4 m3 m2', 'm1 m0']);
        const oldest = await pages('/v1/messages?topic=list/a&limit=5&order=oldest');
        expect(oldest).toEqual(['m0 m1 m2 m3 m4', 'm5 m6 m7 m8 m9']);
      });

      test('from is included, to is not', async () => {
        const { body } = await get(`/v1/messages?topic=list/a&from=${at(2000)}&to=${at(5000)}`);
        expect(ids(body)).toBe('m4 m3 m2');
      });

      test.each([
        ['to=9999-12-31T23:59:59-05:00', 10],
        ['to=0000-01-01T00:00:00%2B05:00', 0],
        ['from=0000-01-01T00:00:00%2B05:00', 10],
        ['from=9999-12-31T23:59:59-05:00', 0],
      ])('%s leads out of the four digits of a year', async (bound, count) => {
        const { messages } = (await get(`/v1/messages?topic=list/a&${bound}`)).body;
        expect(messages).toHaveLength(count);
      });

      test('an unknown topic has none', async () => {
        expect((await get('/v1/messages?topic=nothing')).body).toEqual({ messages: [] });
      });

      test('which topic may have been meant, of those that the caller may know', async () => {
        const { body } = await get('/v1/messages?topic=List/a');
        expect(body).toEqual({ messages: [], hint: expect.stringContaining('list/a') });
        const other = principal('other', { read: 'List/#' });
        expect((await get('/v1/messages?topic=List/a', other)).body).toEqual({ messages: [] });
        expect((await get('/v1/messages?topic=list/a&from=2100-01-01T00:00:00Z')).body).toEqual({
          messages: [],
        });
      });

      test('a wildcard that the URL swallowed is told where nothing matches', async () => {
        for (const list of ['topics', 'messages/latest']) {
          expect((await get(`/v1/${list}?filter=nothing/`)).body.hint).toContain('%23');
          expect((await get(`/v1/${list}?filter=+/nothing`)).body.hint).toContain('%2B');
          expect((await get(`/v1/${list}?filter=nothing/%23`)).body.hint).toBeUndefined();
        }
        expect((await get('/v1/topics?filter=')).body.errors[0].rule).toContain('%23');
        expect((await get('/v1/messages?topic=a/%23')).body.errors[0].rule).toContain('latest');
      });

      test('a topic outside the rights of the caller is refused, whether or not it exists', async () => {
        const other = principal('other', { read: 'devices/#', publish: '#' });
        for (const topic of ['list/a', 'nothing', '$SYS/broker']) {
          const answer = await get(`/v1/messages?topic=${topic}`, other);
          expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
        }
        expect((await get('/v1/messages?topic=devices/1', other)).status).toBe(200);
      });

      test('a cursor is good for its own list and caller, changed in nothing but the limit', async () => {
        const path = '/v1/messages?topic=list/a';
        const { nextCursor } = (await get(`${path}&limit=4`)).body;
        const next = `&cursor=${nextCursor}`;
        expect(ids((await get(`${path}&limit=2${next}`)).body)).toBe('m5 m4');
        const others = [
          get(`${path}&order=oldest${next}`),
          get(`/v1/messages?topic=list/b${next}`),
          get(`/v1/topics?filter=list/a${next}`),
          get(`${path}${next}`, principal('other', { read: '#' })),
          get(`${path}${next}A`),
        ];
        for (const { status, body } of await Promise.all(others)) {
          expect([status, body.errors]).toEqual([
            400,
            [{ field: 'cursor', rule: 'must be a nextCursor of the same list' }],
          ]);
        }
      });

      test.each([
        ['', 'topic', /required/],
        ['?topic=', 'topic', /empty/],
        ['?topic=a/%2B', 'topic', /wildcards/],
        ['?topic=a&limit=0', 'limit', /1 to 1000/],
        ['?topic=a&limit=1e3', 'limit', /1 to 1000/],
        ['?topic=a&limit=1001', 'limit', /1 to 1000/],
        ['?topic=a&from=yesterday', 'from', /RFC 3339/],
        ['?topic=a&order=up', 'order', /newest or oldest/],
        ['?topic=a&topic=b', 'topic', /once/],
        ['?topic=a&colour=red', 'colour', /not a known field/],
        ['?topic=a&cursor=x', 'cursor', /nextCursor/],
      ])('refuses %s', async (query, field, rule) => {
        const { status, type, body } = await get(`/v1/messages${query}`);
        expect([status, type, body.code]).toEqual([
          400,
          'application/problem+json',
          'invalid-request',
        ]);
        expect(body.errors).toEqual([{ field, rule: expect.stringMatching(rule) }]);
      });
    });

    describe('POST /v1/messages/query', () => {
      const topic = `long/${'ü'.repeat(32_000)}`;
      const post = (body: object, headers = {}) =>
        call(endpoints(), reader, '/v1/messages/query', { method: 'POST', body, headers });

      test('takes a topic that no URL could carry, and pages', async () => {
        await store(['p0', 'p1', 'p2'].map((id, index) => ({ id, topic, time: at(index) })));
        const first = await post({ topic, limit: 2 });
        expect(ids(first.body)).toBe('p2 p1');
        const second = await post({ topic, limit: 2, cursor: first.body.nextCursor });
        expect([ids(second.body), second.body.nextCursor]).toEqual(['p0', undefined]);
        const events = await post({ topic, limit: 2 }, { accept: envelopeBatchType });
        expect(events.headers.get('link')).toBe(
          `</v1/messages/query>; rel="next"; cursor="${first.body.nextCursor}"`,
        );
      });

      test('checks as GET does', async () => {
        expect((await post({ topic: 'a', limit: '5' })).body.errors).toMatchObject([
          { field: 'limit' },
        ]);
        const nobody = principal('nobody', {});
        const answer = await call(endpoints(), nobody, '/v1/messages/query', {
          method: 'POST',
          body: { topic },
        });
        expect(answer.status).toBe(403);
      });
    });

    describe('CloudEvents', () => {
      const accept = { accept: envelopeBatchType };

      test('are given to those who ask, page by page', async () => {
        await store(
          ['1', '2', '3'].map((text, index) => ({ topic: 'events', text, time: at(index) })),
        );
        const first = await get('/v1/messages?topic=events&limit=2', reader, accept);
        expect(first.type).toBe(envelopeBatchType);
        expect(first.body).toMatchObject([
          { specversion: '1.0', subject: 'events', datacontenttype: 'application/json', data: 3 },
          { data: 2 },
        ]);
        const link = /^<(.*)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
        const second = await get(link, reader, accept);
        expect(second.body).toMatchObject([{ data: 1 }]);
        expect(second.headers.get('link')).toBeNull();
      });

      test('of the newest messages too', async () => {
        await store([{ topic: 'newest/event', time: at(0), text: 'hello' }]);
        const { body } = await get('/v1/messages/latest?filter=newest/%2B', reader, accept);
        expect(body).toMatchObject([{ subject: 'newest/event', data: 'hello' }]);
      });
    });

    describe('by filter', () => {
      const long = `home/${'long'.repeat(300)}/temperature`;

      beforeAll(() =>
        store([
          { topic: 'home/a/temperature', time: at(0), text: '1' },
          { topic: 'home/a/temperature', time: at(1), text: '2' },
          { topic: 'home/b/temperature', time: at(0), text: '3' },
          { topic: 'home/b/humidity', time: at(0) },
          { topic: long, time: at(0), text: '4' },
          { topic: 'homeless', time: at(0) },
        ]),
      );
      const topics = (body: { topics: { topic: string }[] }) =>
        body.topics.map(({ topic }) => topic);

      test('GET /v1/messages/latest gives the newest of each topic', async () => {
        const { body } = await get('/v1/messages/latest?filter=home/%2B/temperature');
        const payloads = body.messages.map(({ payload }: { payload: unknown }) => payload);
        expect(payloads).toEqual([2, 3, 4]);
      });

      test('GET /v1/topics lists what matches, page by page', async () => {
        const first = await get('/v1/topics?filter=home/%23&limit=3');
        expect(topics(first.body)).toEqual([
          'home/a/temperature',
          'home/b/humidity',
          'home/b/temperature',
        ]);
        const next = `&cursor=${first.body.nextCursor}`;
        const second = await get(`/v1/topics?filter=home/%23&limit=3${next}`);
        expect([topics(second.body), second.body.nextCursor]).toEqual([[long], undefined]);
        expect((await get('/v1/topics?filter=homeless')).body.topics).toHaveLength(1);
        const prefix = `home/${'long'.repeat(300)}/%2B`;
        expect(topics((await get(`/v1/topics?filter=${prefix}`)).body)).toEqual([long]);
      });

      test('says when a topic was last seen and about how many messages it has had', async () => {
        const { body } = await get('/v1/topics?filter=home/a/temperature');
        expect(body.topics).toMatchObject([{ topic: 'home/a/temperature', messages: 2 }]);
        const [{ lastSeen }] = body.topics;
        expect(lastSeen <= at(1)).toBe(true);
        // The index of packed messages has times in steps.
        expect(lastSeen >= at(1 - timeStepMs)).toBe(true);
      });

      test('shows nothing of topics that the caller may not read, on any page', async () => {
        const b = principal('b', { read: 'home/b/#' });
        const seen: string[] = [];
        let cursor = '';
        do {
          const { body } = await get(`/v1/topics?limit=1${cursor}`, b);
          seen.push(...topics(body));
          cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`;
        } while (cursor !== '');
        expect(seen).toEqual(['home/b/humidity', 'home/b/temperature']);
        const latest = await get('/v1/messages/latest', b);
        expect(latest.body.messages).toHaveLength(2);
        expect((await get('/v1/topics?filter=homeless', b)).body).toEqual({ topics: [] });
        expect((await get('/v1/topics', principal('nobody', {}))).body).toEqual({ topics: [] });
      });

      test.each([
        ['a%23', /last level/],
        ['$share/g/home/%23', /shared subscription/],
        ['', /empty/],
      ])('refuses the filter %s', async (filter, rule) => {
        for (const path of ['/v1/topics', '/v1/messages/latest']) {
          const { status, body } = await get(`${path}?filter=${filter}`);
          expect(status).toBe(400);
          expect(body.errors).toEqual([{ field: 'filter', rule: expect.stringMatching(rule) }]);
        }
      });
    });

    describe('what has expired is not shown before DynamoDB deletes it:', () => {
      const days = (count: number) => count * 86_400_000;

      beforeAll(async () => {
        await store([{ topic: 'old/all', time: at(-days(31)) }]);
        await store([{ topic: 'old/some', id: 'kept', time: at(-days(2)) }]);
        // A route of short retention: its messages are newer, and expire before.
        const brief = Array.from({ length: 300 }, (_, index) => ({
          topic: 'old/some',
          id: `brief-${index}`,
          time: at(-days(1) - 1000 + index),
        }));
        await store(brief, { retentionDays: 1 });
      });

      test('messages', async () => {
        expect((await get('/v1/messages?topic=old/all')).body).toEqual({ messages: [] });
        expect(await pages('/v1/messages?topic=old/some&limit=10')).toEqual(['kept']);
        const oldest = (await pages('/v1/messages?topic=old/some&limit=10&order=oldest')).join(' ');
        expect(oldest.trim()).toBe('kept');
      });

      test('the newest message is the newest that has not', async () => {
        expect(ids((await get('/v1/messages/latest?filter=old/%23')).body)).toBe('kept');
      });

      test('topics', async () => {
        const { body } = await get('/v1/topics?filter=old/%2B');
        expect(body.topics.map(({ topic }: { topic: string }) => topic)).not.toContain('old/all');
      });

      test('a retention holds for its batch alone', async () => {
        const later = endpoints(1, () => nowMs + days(100));
        await store([{ topic: 'retention', id: 'long', time: at(0) }], { retentionDays: 365 });
        await store([{ topic: 'retention', id: 'usual', time: at(1) }]);
        const { body } = await call(later, reader, '/v1/messages?topic=retention');
        expect(ids(body)).toBe('long');
        expect(ids((await get('/v1/messages?topic=retention')).body)).toBe('usual long');
      });
    });

    describe('with write sharding', () => {
      const shards = 5;
      const sharded = () => endpoints(shards);

      beforeAll(async () => {
        // Stored before the shards were introduced, and after.
        const both = Array.from({ length: 40 }, (_, index) => ({
          topic: 'sharded',
          id: `s${String(index).padStart(2, '0')}`,
          time: at(index),
        }));
        await store(both.slice(0, 10));
        await store(both.slice(10), { writeShards: shards });
      });
      const all = Array.from({ length: 40 }, (_, index) => `s${String(index).padStart(2, '0')}`);

      test.each([1, 3, 7, 39, 40, 41])('pages of %d are those of one partition', async (limit) => {
        const path = `/v1/messages?topic=sharded&limit=${limit}`;
        const oldest = await pages(`${path}&order=oldest`, sharded());
        expect(oldest.join(' ')).toBe(all.join(' '));
        expect(oldest.every((page) => page.split(' ').length <= limit)).toBe(true);
        const newest = await pages(path, sharded());
        expect(newest.join(' ')).toBe(all.toReversed().join(' '));
      });

      test('a copy lands on the same item, and one of the time before is shown once', async () => {
        await store([{ topic: 'sharded/twice', id: 'twin', time: at(0) }]);
        await store([{ topic: 'sharded/twice', id: 'twin', time: at(0) }], { writeShards: shards });
        await store([{ topic: 'sharded/twice', id: 'twin', time: at(0) }], { writeShards: shards });
        const { body } = await call(sharded(), reader, '/v1/messages?topic=sharded/twice');
        expect(ids(body)).toBe('twin');
      });

      test('the newest message is found in any shard', async () => {
        const { body } = await call(sharded(), reader, '/v1/messages/latest?filter=sharded');
        expect(ids(body)).toBe('s39');
      });

      test('a payload in chunks is whole', async () => {
        const payload = Buffer.alloc(900 * 1024, 'abc');
        const parts = { topic: 'sharded/large', payload, time: at(0) };
        await store(
          Array.from({ length: 4 }, () => parts),
          { writeShards: shards },
        );
        const { body } = await call(sharded(), reader, '/v1/messages?topic=sharded/large');
        expect(body.messages).toHaveLength(4);
        for (const { payload: shown } of body.messages) expect(shown).toBe(payload.toString());
      });

      test('any messages are read in the order that one partition gives', async () => {
        let run = 0;
        const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 });
        const entry = fc.record({ id, time: fc.integer({ min: 0, max: 3 }).map(at) });
        await fc.assert(
          fc.asyncProperty(
            fc.array(entry, { minLength: 1, maxLength: 12 }),
            fc.integer({ min: 1, max: 5 }),
            async (entries, limit) => {
              run++;
              await store(entries.map((parts) => ({ ...parts, topic: `one/${run}`, text: '' })));
              await store(
                entries.map((parts) => ({ ...parts, topic: `many/${run}`, text: '' })),
                { writeShards: 32 },
              );
              const one = await pages(`/v1/messages?topic=one/${run}&limit=1000`);
              const path = `/v1/messages?topic=many/${run}&limit=${limit}`;
              expect((await pages(path, endpoints(32))).join(' ')).toBe(one.join(' '));
            },
          ),
          { numRuns: 10 },
        );
      });
    });
  });
}
