// Who is online over HTTP, from real tables: by filter and status, in pages, and only what the caller may see.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { presenceEndpoints } from '../../../../functions/api/presence/endpoints.ts';
import { createPresenceReader } from '../../../../functions/api/presence/reader.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { call } from '../../../support/endpoints.ts';
import { connected, disconnected, startMs } from '../../../support/presence.ts';
import { engines, startTable, type TestTable } from '../../../support/table.ts';

const cursors = createCursors('a secret of the tests');
const caller = (...scopes: string[]) => principalOf(`token:${scopes}`, knownScopes(scopes));
const admin = caller('admin');
const dayMs = 86_400_000;

/** In the order of UTF-8; `+`, `#` and `$` are legal in client ids. */
const ids = ['#odd', '$dollar', 'a+b', 'house/lamp', 'house/plug', 'lamp-1', 'lamp-2', 'ü'];

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
      const facts = (clientId: string) => ({ clientId, epoch: 1, atMs: startMs });
      await store(ids.map((clientId) => connected(facts(clientId))));
      const end = { ...facts('lamp-2'), atMs: startMs + 1000, reason: 'keep-alive' };
      await store([disconnected(end)]);
      await store([connected({ ...facts('lamp-1'), epoch: 2, atMs: startMs + 2000 })]);
    });
    afterAll(() => table.close());

    async function store(messages: readonly Message[]) {
      const { put } = createStore({ ...database(), retentionDays: 30 });
      expect(await put(messages, { presence: { source: 'embedded' } })).toEqual([]);
    }
    const database = () => ({ client: table.client, tableName: table.tableName });

    const get = (path: string, who = admin, now = Date.now) =>
      call(
        presenceEndpoints(createPresenceReader({ ...database(), now }), cursors, now),
        who,
        path,
      );
    const idsOf = async (query: string, who = admin, now = Date.now) => {
      const { status, body } = await get(`/v1/presence${query}`, who, now);
      expect(status).toBe(200);
      return body.clients.map(({ clientId }: { clientId: string }) => clientId);
    };

    test('every client, by id', async () => {
      const all = await idsOf('');
      expect(all.toSorted()).toEqual(ids.toSorted());
      expect(all.filter((id: string) => /^[a-z]/.test(id))).toEqual(ids.slice(2, -1));
    });

    test('what is told of a client', async () => {
      const at = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z');
      const { body } = await get('/v1/presence?filter=%2B&status=offline');
      expect(body).toEqual({
        clients: [
          {
            clientId: 'lamp-2',
            status: 'offline',
            since: at(startMs + 1000),
            lastEventAt: at(startMs + 1000),
            reason: 'keep-alive',
            flaps: expect.any(Number),
            flapping: false,
          },
        ],
      });
      const [lamp] = (await get('/v1/presence?filter=lamp-1')).body.clients;
      expect(lamp).toMatchObject({ status: 'online', since: at(startMs + 2000) });
      expect(lamp).not.toHaveProperty('reason');
    });

    test.each([
      ['?filter=house/%23', ['house/lamp', 'house/plug']],
      ['?filter=house/%2B', ['house/lamp', 'house/plug']],
      ['?filter=%2B/plug', ['house/plug']],
      ['?filter=lamp-1', ['lamp-1']],
      ['?filter=lamp-1/%23', ['lamp-1']],
      ['?filter=nobody', []],
      ['?filter=$dollar', ['$dollar']],
      ['?status=offline', ['lamp-2']],
      ['?filter=house/%23&status=online', ['house/lamp', 'house/plug']],
      ['?filter=house/%23&status=offline', []],
    ])('%s', async (query, expected) => {
      expect(await idsOf(query)).toEqual(expected);
    });

    test('pages without a gap or a repetition', async () => {
      const seen: string[] = [];
      let cursor = '';
      for (let pages = 0; pages < 10; pages++) {
        const { body } = await get(`/v1/presence?limit=3${cursor}`);
        expect(body.clients.length).toBeLessThanOrEqual(3);
        seen.push(...body.clients.map(({ clientId }: { clientId: string }) => clientId));
        if (body.nextCursor === undefined) break;
        cursor = `&cursor=${body.nextCursor}`;
      }
      expect(seen).toEqual(await idsOf(''));
    });

    test('a client is seen by those alone who may', async () => {
      expect(await idsOf('', caller())).toEqual([]);
      expect(await idsOf('', caller('read:#', 'read:+', 'publish:#', 'delete:#'))).toEqual([]);
      expect(await idsOf('', caller('read:$presence/house/+'))).toEqual([
        'house/lamp',
        'house/plug',
      ]);
      expect(await idsOf('', caller('read:$presence/lamp-1'))).toEqual(['lamp-1']);
      expect(await idsOf('', caller('read:$presence/#'))).toHaveLength(ids.length);
      expect(await idsOf('?filter=lamp-2', caller('read:$presence/lamp-1'))).toEqual([]);
      // One level, without those of the house.
      expect(await idsOf('', caller('read:$presence/+'))).toHaveLength(ids.length - 2);
    });

    test('a history is refused to others, whether or not there is one', async () => {
      const path = (id: string) => `/v1/presence/events?clientId=${encodeURIComponent(id)}`;
      const who = caller('read:$presence/lamp-1', 'read:#');
      for (const id of ['lamp-2', 'nobody', 'a+b', '#odd', 'lamp-1/x']) {
        const { status, body } = await get(path(id), who);
        expect([id, status, body.code]).toEqual([id, 403, 'forbidden']);
      }
      expect((await get(path('lamp-1'), who)).status).toBe(200);
      expect((await get(path('a+b'))).body.events).toHaveLength(1);
      expect((await get(path('a+b'), caller('read:$presence/a'))).status).toBe(403);
    });

    test('the history of a client, newest first, by time and in pages', async () => {
      const path = '/v1/presence/events?clientId=lamp-2';
      const at = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z');
      const end = { time: at(startMs + 1000), event: 'disconnected', reason: 'keep-alive' };
      const begin = { time: at(startMs), event: 'connected' };
      expect((await get(path)).body).toEqual({ events: [end, begin] });
      expect((await get(`${path}&from=${at(startMs + 1)}`)).body.events).toEqual([end]);
      expect((await get(`${path}&to=${at(startMs + 1000)}`)).body.events).toEqual([begin]);
      const { nextCursor } = (await get(`${path}&limit=1`)).body;
      expect((await get(`${path}&limit=1&cursor=${nextCursor}`)).body).toEqual({ events: [begin] });
      expect((await get(`/v1/presence/events?clientId=nobody`)).body).toEqual({ events: [] });
    });

    test('who has been offline for longer than the retention is forgotten, who is online is not', async () => {
      const later = () => startMs + 31 * dayMs;
      expect(await idsOf('?filter=%2B', admin, later)).not.toContain('lamp-2');
      expect(await idsOf('?filter=%2B', admin, later)).toContain('lamp-1');
      const path = '/v1/presence/events?clientId=lamp-2';
      expect((await get(path, admin, later)).body).toEqual({ events: [] });
    });

    test('a client that flaps is told, and calms down as time goes by', async () => {
      const flaps = Array.from({ length: 40 }, (_, index) => {
        const facts = { clientId: 'wild', epoch: 1 + (index >> 1), atMs: startMs + index * 1000 };
        return index % 2 === 0 ? connected(facts) : disconnected(facts);
      });
      await store(flaps);
      const seen = async (now: () => number) =>
        (await get('/v1/presence?filter=wild', admin, now)).body.clients[0];
      expect(await seen(() => startMs + 60_000)).toMatchObject({
        status: 'offline',
        flapping: true,
        flaps: 39,
      });
      expect(await seen(() => startMs + 3_600_000)).toMatchObject({ flapping: false, flaps: 0 });
      const { body } = await get('/v1/presence/events?clientId=wild');
      expect(body.events[0].event).toBe('flapping');
      expect(body.events.length).toBeLessThan(15);
      await store([connected({ clientId: 'wild', epoch: 99, atMs: startMs + 3_000_000 })]);
      const [newest, calm] = (await get('/v1/presence/events?clientId=wild')).body.events;
      expect([newest.event, calm.event, calm.unrecorded]).toEqual(['connected', 'calm', 28]);
    });

    test.each([
      ['/v1/presence?status=away', 'status', /online or offline/],
      ['/v1/presence?status=', 'status', /online or offline/],
      ['/v1/presence?filter=', 'filter', /empty/],
      ['/v1/presence?filter=a%23', 'filter', /last level/],
      ['/v1/presence?filter=$share/g/%23', 'filter', /shared/],
      ['/v1/presence?filter=%00', 'filter', /U\+0000/],
      ['/v1/presence?limit=0', 'limit', /1 to 1000/],
      ['/v1/presence?limit=1001', 'limit', /1 to 1000/],
      ['/v1/presence?cursor=AAAA', 'cursor', /nextCursor/],
      ['/v1/presence?filter=a&filter=b', 'filter', /once/],
      ['/v1/presence?clientId=a', 'clientId', /not a known field/],
      ['/v1/presence/events', 'clientId', /required/],
      ['/v1/presence/events?clientId=', 'clientId', /empty/],
      ['/v1/presence/events?clientId=%00', 'clientId', /U\+0000/],
      ['/v1/presence/events?clientId=a&from=now', 'from', /RFC 3339/],
      ['/v1/presence/events?clientId=a&cursor=x', 'cursor', /nextCursor/],
      ['/v1/presence/events?clientId=a&clientId=b', 'clientId', /once/],
    ])('%s is refused', async (path, field, rule) => {
      const { status, body } = await get(path);
      expect([status, body.code]).toEqual([400, 'invalid-request']);
      expect(body.errors).toEqual(
        expect.arrayContaining([{ field, rule: expect.stringMatching(rule) }]),
      );
    });

    test('a cursor is good for its own list and caller', async () => {
      const { nextCursor } = (await get('/v1/presence?limit=1')).body;
      const others = [
        await get(`/v1/presence?status=online&cursor=${nextCursor}`),
        await get(`/v1/presence?cursor=${nextCursor}`, caller('read:$presence/#')),
        await get(`/v1/presence/events?clientId=a&cursor=${nextCursor}`),
      ];
      expect(others.map(({ status }) => status)).toEqual([400, 400, 400]);
    });
  });
}
