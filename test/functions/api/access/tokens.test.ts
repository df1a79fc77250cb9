import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseScope, type Scope } from '../../../../functions/api/access/scopes.ts';
import {
  createTokenStore,
  parseToken,
  type TokenStore,
} from '../../../../functions/api/access/tokens.ts';
import { everyEngine, startTable, type TestTable } from '../../../support/table.ts';

function scopes(...texts: string[]): Scope[] {
  return texts.map((text) => {
    const parsed = parseScope(text);
    if (!parsed.ok) throw new Error(parsed.fault);
    return parsed.scope;
  });
}

for (const engine of everyEngine) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    let store: TokenStore;

    beforeAll(async () => {
      table = await startTable(engine);
      store = createTokenStore(table);
    });
    afterAll(() => table.close());

    test('a token is shown once; kept is what checks it', async () => {
      const expiresAt = new Date('2099-01-01T00:00:00.500Z');
      const made = await store.create({
        name: 'dashboard',
        scopes: scopes('read:devices/#', 'admin'),
        expiresAt,
      });
      expect(made.entry).toMatchObject({
        name: 'dashboard',
        scopes: ['read:devices/#', 'admin'],
        expiresAt: '2099-01-01T00:00:00Z',
      });
      const { id, secret } = parseToken(made.token) ?? { id: '', secret: '' };
      expect(id).toBe(made.entry.id);
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32);

      const { secretDigest, ...stored } = (await store.read(id)) ?? { secretDigest: Buffer.of() };
      expect(stored).toEqual(made.entry);
      expect(secretDigest).toHaveLength(32);
      const listed = await store.list();
      expect(listed).toContainEqual(made.entry);
      expect(JSON.stringify([listed, stored])).not.toContain(secret);
      expect(Object.keys(listed[0] ?? {})).not.toContain('secretDigest');
    });

    test('a token without an end has none', async () => {
      const { entry } = await store.create({ name: 'x', scopes: scopes('read:a') });
      expect((await store.read(entry.id))?.expiresAt).toBeUndefined();
    });

    test('a revoked token is gone, and cannot be revoked again', async () => {
      const { entry } = await store.create({ name: 'x', scopes: scopes('read:a') });
      expect(await store.revoke(entry.id)).toBe(true);
      expect(await store.read(entry.id)).toBeUndefined();
      expect(await store.revoke(entry.id)).toBe(false);
    });

    test('the list goes on past one page of DynamoDB', async () => {
      const name = 'n'.repeat(100_000);
      const item = (id: string) => ({ pk: { S: 'tokens' }, sk: { S: id }, name: { S: name } });
      for (let index = 0; index < 12; index++) {
        const command = new PutItemCommand({
          TableName: table.tableName,
          Item: item(`page-${index}`),
        });
        await table.client.send(command);
      }
      const listed = (await store.list()).filter(({ id }) => id.startsWith('page-'));
      expect(listed).toHaveLength(12);
    });
  });
}

const id = '0123456789abcdef';
const secret = 'A'.repeat(43);

test.each([
  '',
  'causeway_',
  `causeway_${id}`,
  `causeway_${id}_`,
  `causeway_${id}_${secret}A`,
  `causeway_${id}_${secret.slice(1)}`,
  `causeway_${id.toUpperCase()}_${secret}`,
  `causeway_${id}0_${secret}`,
  `Causeway_${id}_${secret}`,
  ` causeway_${id}_${secret}`,
  `causeway_${id}_${secret}\n`,
  `causeway_${id}_${secret.slice(1)}=`,
  `causeway_${id}_${secret.slice(1)}+`,
])('%j is no token', (text) => {
  expect(parseToken(text)).toBeUndefined();
});

test('a secret may contain what separates it from the id', () => {
  const odd = `_${'-_'.repeat(21)}`;
  expect(parseToken(`causeway_${id}_${odd}`)).toEqual({ id, secret: odd });
});
