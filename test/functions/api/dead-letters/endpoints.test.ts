// Dead letters over HTTP, from real tables as the bridge's quarantine fills them.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { tableDeadLetters } from '../../../../bridge/dead-letters/dead-letter-table.ts';
import type { ReplayDeadLetter } from '../../../../functions/api/bridge-client/bridge-client.ts';
import { createDeadLetters } from '../../../../functions/api/dead-letters/dead-letter-store.ts';
import { deadLetterEndpoints } from '../../../../functions/api/dead-letters/endpoints.ts';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { type ProblemCode, problem } from '../../../../functions/contract/problem.ts';
import type { DeadLetter } from '../../../../functions/table/dead-letter.ts';
import type { Item } from '../../../../functions/table/item.ts';
import { call } from '../../../support/endpoints.ts';
import { message } from '../../../support/messages.ts';
import { principal } from '../../../support/principals.ts';
import { engines, startTable, type TestTable } from '../../../support/table.ts';

const admin = principal('admin', { read: '#', delete: '#' });
const quarantinedAt = '2026-01-01T00:00:00.000Z';

/** The bridge's answer to a replay, which the test sets, and the ids that it was asked for. */
class FakeBridge {
  readonly replayed: string[] = [];
  refusal: ProblemCode | undefined;

  readonly replay: ReplayDeadLetter = async (id) => {
    this.replayed.push(id);
    return this.refusal === undefined
      ? { ok: true }
      : { ok: false, problem: problem(this.refusal, 'as the bridge says') };
  };
}

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    const bridge = new FakeBridge();

    beforeAll(async () => {
      table = await startTable(engine);
    });
    afterAll(() => table.close());
    afterEach(async () => {
      for (const { id } of await list()) await ask(`/${id}`, { method: 'DELETE' });
      bridge.replayed.length = 0;
      bridge.refusal = undefined;
      expect(await itemKeys()).toEqual([]);
    });

    function ask(path: string, { method = 'GET', who = admin } = {}) {
      const { client, tableName } = table;
      const deadLetters = createDeadLetters({ client, tableName, replay: bridge.replay });
      const cursors = createCursors('a secret of the tests');
      return call(deadLetterEndpoints(deadLetters, cursors), who, `/v1/dead-letters${path}`, {
        method,
      });
    }

    async function list(query = '', who = admin) {
      const found: { id: string; topic: string }[] = [];
      let cursor = '';
      do {
        const { body } = await ask(`?limit=2${query}${cursor}`, { who });
        found.push(...body.deadLetters);
        cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`;
      } while (cursor !== '');
      return found;
    }
    const topics = (letters: { topic: string }[]) => letters.map(({ topic }) => topic);

    /** Of all but the places that dead letters have: they stay, and expire. */
    async function itemKeys(): Promise<string[]> {
      const keys: string[] = [];
      let after: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await table.client.send(
          new ScanCommand({ TableName: table.tableName, ExclusiveStartKey: after }),
        );
        keys.push(...Items.map(({ pk, sk }) => `${pk?.S} ${sk?.S}`));
        after = LastEvaluatedKey;
      } while (after !== undefined);
      return keys.filter((key) => !key.startsWith('dead-letter-places/'));
    }

    /** Quarantines a message and gives its public id. */
    async function addDeadLetter(
      parts: Parameters<typeof message>[0],
      letter: Partial<DeadLetter> = {},
    ): Promise<string> {
      const given = message(parts);
      await tableDeadLetters(table.tableName, table.client).put({
        route: 'store',
        reason: 'the handler answered 422',
        attempts: 3,
        quarantinedAt,
        message: given,
        ...letter,
      });
      return Buffer.from(`${given.time}#${given.id}`).toString('base64url');
    }

    test('are listed newest first, page by page', async () => {
      const ids: string[] = [];
      for (const text of ['1', '22', '333', '4', '5']) ids.unshift(await addDeadLetter({ text }));
      const found = await list();
      expect(found.map(({ id }) => id)).toEqual(ids);
      expect(found[2]).toEqual({
        id: ids[2],
        route: 'store',
        expiresAt: expect.stringMatching(/Z$/),
        reason: 'the handler answered 422',
        attempts: 3,
        quarantinedAt,
        topic: 'rooms/kitchen',
        bytes: 3,
      });
    });

    test('are listed by filter and by route', async () => {
      await addDeadLetter({ topic: 'a/1' });
      await addDeadLetter({ topic: 'b/1' }, { route: 'alarms' });
      await addDeadLetter({ topic: 'a/2' }, { route: 'alarms' });
      expect(topics(await list('&filter=a/%2B'))).toEqual(['a/2', 'a/1']);
      expect(topics(await list('&route=alarms'))).toEqual(['a/2', 'b/1']);
      expect(topics(await list('&route=alarms&filter=b/%23'))).toEqual(['b/1']);
      expect(await list('&route=nothing')).toEqual([]);
    });

    test('are counted by route and reason, of what the caller may read', async () => {
      const other = { reason: 'no: "it" is 5' };
      await addDeadLetter({ topic: 'a/1' });
      await addDeadLetter({ topic: 'a/2' }, other);
      await addDeadLetter({ topic: 'b/1' });
      const newest = message({ topic: 'a/3' });
      await addDeadLetter(newest);
      await addDeadLetter({ topic: 'a/1' }, { route: 'alarms' });
      const { body } = await ask('/summary');
      expect(body).not.toHaveProperty('readUntil');
      expect(body.groups[0]).toEqual({
        route: 'store',
        reason: 'the handler answered 422',
        count: 3,
        newestAt: newest.time,
      });
      expect(body.groups).toHaveLength(3);
      const counts = async (query: string, who = admin) =>
        (await ask(`/summary${query}`, { who })).body.groups.map(
          ({ count }: { count: number }) => count,
        );
      expect(await counts('?route=alarms')).toEqual([1]);
      const reason = `reason=${encodeURIComponent(other.reason)}`;
      expect(await counts(`?${reason}`)).toEqual([1]);
      expect(topics(await list(`&${reason}`))).toEqual(['a/2']);
      expect(await counts('', principal('some', { read: 'b/#' }))).toEqual([1]);
      expect(await counts('', principal('none', {}))).toEqual([]);
    });

    test.each([1024, 1025, 1040])(
      'an id of %i bytes that there is not is not found',
      async (bytes) => {
        const { status, body } = await ask(`/${Buffer.alloc(bytes, 'x').toString('base64url')}`);
        expect([status, body.code]).toEqual([404, 'not-found']);
      },
    );

    test('of topics that the caller may not read are neither listed nor found', async () => {
      const hidden = await addDeadLetter({ topic: 'hidden/1' });
      const shown = await addDeadLetter({ topic: 'shown/1' });
      const who = principal('some', { read: 'shown/#', delete: '#' });
      expect(topics(await list('', who))).toEqual(['shown/1']);
      for (const [path, method] of [
        ['', 'GET'],
        ['/replay', 'POST'],
        ['', 'DELETE'],
      ]) {
        const { status, body } = await ask(`/${hidden}${path}`, { method, who } as object);
        expect([status, body.code]).toEqual([404, 'not-found']);
      }
      expect((await ask(`/${shown}`, { who })).status).toBe(200);
      expect(bridge.replayed).toEqual([]);
      expect((await ask(`/${hidden}`)).status).toBe(200);
    });

    test('may be read and not done away with, without the right to delete', async () => {
      const id = await addDeadLetter({ topic: 'a' });
      const who = principal('reader', { read: '#', delete: 'b' });
      expect((await ask(`/${id}`, { who })).status).toBe(200);
      expect(await ask(`/${id}`, { method: 'DELETE', who })).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
      expect((await ask(`/${id}/replay`, { method: 'POST', who })).status).toBe(403);
      expect(bridge.replayed).toEqual([]);
      expect((await ask(`/${id}`)).status).toBe(200);
    });

    test.each([
      ['small', Buffer.from([0xff, 0x00])],
      ['of 2 MB', Buffer.alloc(2 * 1024 * 1024, 0xfe)],
    ])('show their message byte for byte: %s', async (_, payload) => {
      const id = await addDeadLetter({
        topic: 'bytes',
        payload,
        properties: { userProperties: [['a', 'b']], correlationData: Buffer.from([1]) },
      });
      const { status, body } = await ask(`/${id}`);
      expect([status, body.bytes]).toEqual([200, payload.length]);
      expect(body.message).toMatchObject({
        topic: 'bytes',
        userProperties: [['a', 'b']],
        correlationDataBase64: 'AQ==',
      });
      const shown = Buffer.from(body.message.payloadBase64, 'base64');
      expect(Buffer.compare(shown, payload)).toBe(0);
    });

    test('show a message that breaks the rules which ingest has', async () => {
      const id = await addDeadLetter({
        id: 'x'.repeat(300),
        topic: 'a\u0001b',
        text: '9007199254740993',
      });
      const { text, body } = await ask(`/${id}`);
      expect(body.message.topic).toBe('a\u0001b');
      expect(text).toContain('"payload":9007199254740993');
    });

    test('are deleted with all their chunks', async () => {
      const id = await addDeadLetter({ payload: Buffer.alloc(12 * 1024 * 1024, 0xfe) });
      expect((await itemKeys()).length).toBeGreaterThan(25);
      const { status, text } = await ask(`/${id}`, { method: 'DELETE' });
      expect([status, text]).toEqual([204, '']);
      expect(await itemKeys()).toEqual([]);
      expect((await ask(`/${id}`, { method: 'DELETE' })).status).toBe(404);
    });

    test('are replayed by the bridge', async () => {
      const id = await addDeadLetter({ topic: 'a' });
      const { status, body } = await ask(`/${id}/replay`, { method: 'POST' });
      expect([status, body]).toEqual([200, { status: 'delivered' }]);
      expect(bridge.replayed).toEqual([Buffer.from(id, 'base64url').toString()]);
    });

    test.each([
      ['not-found', 404],
      ['route-unknown', 409],
      ['handler-refused', 422],
      ['handler-unavailable', 503],
      ['bridge-unavailable', 503],
    ] as const)('pass on the bridge’s %s', async (code, status) => {
      const id = await addDeadLetter({ topic: 'a' });
      bridge.refusal = code;
      expect(await ask(`/${id}/replay`, { method: 'POST' })).toMatchObject({
        status,
        body: { code, detail: 'as the bridge says' },
      });
    });

    test.each(['x', '%20', 'AA==', 'YQ', `${'A'.repeat(1401)}`, '__proto__'])(
      'an id that none has is not found: %s',
      async (id) => {
        for (const [path, method] of [
          ['', 'GET'],
          ['/replay', 'POST'],
          ['', 'DELETE'],
        ]) {
          const { status, body } = await ask(`/${id}${path}`, { method } as object);
          expect([status, body.code]).toEqual([404, 'not-found']);
        }
      },
    );

    test.each([
      ['?filter=a%23', 'filter'],
      ['?filter=$share/g/a', 'filter'],
      ['?route=', 'route'],
      ['?limit=0', 'limit'],
      ['?cursor=AAAA', 'cursor'],
      ['?colour=red', 'colour'],
    ])('a list refuses %s', async (query, field) => {
      const { status, body } = await ask(query);
      expect([status, body.errors]).toEqual([400, [{ field, rule: expect.any(String) }]]);
    });
  });
}
