import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandId } from '../../../../functions/table/command-id.ts';
import { commandKey } from '../../../../functions/table/command-item.ts';
import { type CommandApi, caller, createCommandApi } from '../../../support/command-api.ts';
import { engines, type TestTable } from '../../../support/table.ts';

for (const engine of engines) {
  describe.runIf(engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    let api: CommandApi;

    beforeAll(async () => {
      table = await engine.start();
      api = createCommandApi(table);
    });
    afterAll(() => table?.close());

    const publish = async (topic: string, fields: object = {}) =>
      (await api.post('/v1/publish', { topic, payload: 'x', ...fields })).body;

    describe('GET /v1/commands/{id}', () => {
      test('gives the command and its history', async () => {
        const { id, ...sent } = await publish('one');
        const { status, body } = await api.get(`/v1/commands/${id}`);
        expect([status, body]).toEqual([
          200,
          {
            id,
            ...sent,
            history: [
              { status: 'pending', at: sent.createdAt },
              { status: 'sent', at: sent.sentAt },
            ],
          },
        ]);
      });

      test('says why one failed', async () => {
        api.bridge.fate = () => ({ kind: 'refused', detail: 'not authorized' });
        const { command } = await publish('failed');
        api.bridge.fate = () => ({ kind: 'sent' });
        expect((await api.get(`/v1/commands/${command.id}`)).body).toMatchObject({
          status: 'failed',
          error: { code: 'broker-refused', detail: 'not authorized' },
        });
      });

      test('a pending command whose time is over has expired', async () => {
        api.bridge.away = true;
        const { id } = await publish('late', { expirySeconds: 1 });
        expect((await api.get(`/v1/commands/${id}`)).body.status).toBe('pending');
        api.aheadMs = 1500;
        expect((await api.get(`/v1/commands/${id}`)).body.status).toBe('expired');
        api.aheadMs = 0;
        api.bridge.away = false;
        await api.bridge.drain();
      });

      test('it is kept for 30 days after its deadline', async () => {
        const { id } = await publish('kept', { expirySeconds: 60 });
        const keptMs = 60_000 + 30 * 86_400_000;
        api.aheadMs = keptMs - 5000;
        expect((await api.get(`/v1/commands/${id}`)).status).toBe(200);
        api.aheadMs = keptMs + 5000;
        expect((await api.get(`/v1/commands/${id}`)).status).toBe(404);
        expect((await api.get('/v1/commands?topic=kept')).body.commands).toEqual([]);
        api.aheadMs = 0;
      });

      test.each([
        [['read:seen/#'], 200],
        [['publish:seen/+'], 200],
        [['delete:#'], 404],
        [['read:other', 'publish:seen'], 404],
        [[], 404],
      ])('a caller with %j gets %d', async (scopes, status) => {
        const { id } = await publish('seen/it');
        const answer = await api.get(`/v1/commands/${id}`, caller(...scopes));
        expect(answer.status).toBe(status);
      });

      test('the right is that to the topic which it was published to', async () => {
        const { id } = await publish('to/{commandId}');
        expect((await api.get(`/v1/commands/${id}`, caller(`read:to/${id}`))).status).toBe(200);
        expect((await api.get(`/v1/commands/${id}`, caller('read:to/{commandId}'))).status).toBe(
          404,
        );
      });

      test.each([commandId(uuidv7(), 'nothing'), 'x', '%00', '..%2f..', 'x'.repeat(5000)])(
        '%s is not there',
        async (id) => {
          expect(await api.get(`/v1/commands/${id}`)).toMatchObject({
            status: 404,
            body: { code: 'not-found' },
          });
        },
      );
    });

    describe('GET /v1/commands', () => {
      const ids: string[] = [];
      beforeAll(async () => {
        for (let index = 0; index < 9; index++) {
          const kind = index % 3 === 0 ? 'refused' : 'sent';
          api.bridge.fate = () => ({ kind, detail: 'no' });
          const { command, id = command.id } = await publish('list/a');
          ids.unshift(id);
        }
        api.bridge.fate = () => ({ kind: 'sent' });
        await publish('list/b');
      });

      const page = async (query: string, headers?: Record<string, string>) => {
        const { status, body } = await api.get(`/v1/commands?${query}`, headers);
        const found = (body.commands ?? []) as { id: string }[];
        return { status, ids: found.map(({ id }) => id), next: body.nextCursor, body };
      };

      async function pages(query: string): Promise<string[][]> {
        const seen: string[][] = [];
        let next: string | undefined;
        do {
          const cursor: string = next === undefined ? '' : `&cursor=${next}`;
          const one = await page(`${query}${cursor}`);
          expect(one.status).toBe(200);
          seen.push(one.ids);
          next = one.next;
        } while (next !== undefined);
        return seen;
      }

      test('the newest first, page by page', async () => {
        expect(await pages('topic=list/a&limit=4')).toEqual([
          ids.slice(0, 4),
          ids.slice(4, 8),
          ids.slice(8),
        ]);
      });

      test('by status, page by page', async () => {
        const failed = ids.filter((_, index) => (ids.length - 1 - index) % 3 === 0);
        expect((await pages('topic=list/a&status=failed&limit=2')).flat()).toEqual(failed);
        expect(await pages('topic=list/a&status=answered')).toEqual([[]]);
      });

      test('whose time is over is listed as expired', async () => {
        api.bridge.away = true;
        const { id } = await publish('list/late', { expirySeconds: 1 });
        api.aheadMs = 1500;
        expect(await pages('topic=list/late&status=pending')).toEqual([[]]);
        expect(await pages('topic=list/late&status=expired')).toEqual([[id]]);
        api.aheadMs = 0;
        api.bridge.away = false;
        await api.bridge.drain();
      });

      test('a cursor is good for its own list and caller alone', async () => {
        const { next } = await page('topic=list/a&limit=2');
        for (const [query, headers] of [
          ['topic=list/b', caller('admin')],
          ['topic=list/a&status=sent', caller('admin')],
          ['topic=list/a', caller('read:#')],
        ] as const) {
          const { status, body } = await page(`${query}&cursor=${next}`, headers);
          expect([status, body.errors?.[0].field]).toEqual([400, 'cursor']);
        }
      });

      test('another topic with the same digest has its own list', async () => {
        // 64 bits of a digest can be made to meet; here the item says it.
        const { id } = await publish('list/twin');
        await table.client.send(
          new UpdateItemCommand({
            TableName: table.tableName,
            Key: commandKey(id),
            UpdateExpression: 'SET topic = :topic',
            ExpressionAttributeValues: { ':topic': { S: 'list/other' } },
          }),
        );
        expect(await pages('topic=list/twin')).toEqual([[]]);
      });

      test.each([
        [['read:list/+'], 200],
        [['publish:list/a'], 200],
        [['delete:#', 'read:list'], 403],
      ])('a caller with %j gets %d', async (scopes, status) => {
        expect((await page('topic=list/a', caller(...scopes))).status).toBe(status);
        expect((await page('topic=list/nothing', caller(...scopes))).status).toBe(
          scopes[0] === 'publish:list/a' ? 403 : status,
        );
      });

      test('what was published where the caller has no right is left out', async () => {
        const { id } = await publish('list/{commandId}');
        const scopes = caller('read:list/{commandId}');
        expect((await page('topic=list/{commandId}', scopes)).ids).toEqual([]);
        expect((await page('topic=list/{commandId}')).ids).toEqual([id]);
      });

      test.each([
        ['', 'topic'],
        ['topic=a/%2B', 'topic'],
        ['topic=a&status=lost', 'status'],
        ['topic=a&limit=0', 'limit'],
        ['topic=a&colour=red', 'colour'],
        ['topic=a&cursor=x', 'cursor'],
      ])('refuses ?%s', async (query, field) => {
        const { status, body } = await page(query);
        expect([status, body.errors?.[0].field]).toEqual([400, field]);
      });

      test('large replies make short pages', async () => {
        api.bridge.fate = () => ({
          kind: 'answered',
          reply: { payloadBase64: Buffer.alloc(250_000).toString('base64') },
        });
        const commands = Array.from({ length: 20 }, () => ({
          topic: 'list/large',
          payload: 1,
          waitFor: 'reply',
        }));
        await api.post('/v1/publish/bulk', commands);
        api.bridge.fate = () => ({ kind: 'sent' });
        const lengths = (await pages('topic=list/large')).map(({ length }) => length);
        // A page ends where its request has used its read units: here after a query, which reads 1 MB.
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(20);
        expect(Math.min(...lengths)).toBeGreaterThan(0);
        expect(Math.max(...lengths)).toBeLessThan(20);
      });
    });
  });
}
