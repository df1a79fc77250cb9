// Tokens over HTTP: an admin makes, lists and revokes them; everybody learns who they are.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTokenAuthenticate } from '../../../../functions/api/access/authentication.ts';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import { createTokenStore, type TokenStore } from '../../../../functions/api/access/tokens.ts';
import { tokenEndpoints } from '../../../../functions/api/tokens/endpoints.ts';
import { call } from '../../../support/endpoints.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

let table: TestTable;
let store: TokenStore;
beforeAll(async () => {
  table = await startTable();
  store = createTokenStore(table);
});
afterAll(() => table.close());

const admin = principalOf('token:admin', [{ kind: 'admin' }]);
const reader = principalOf('token:reader', knownScopes(['read:a/#']), { name: 'wall display' });
const ask = (path: string, who = admin, more: { method?: string; body?: unknown } = {}) =>
  call(tokenEndpoints(store), who, path, more);
const make = (body: unknown, who = admin) => ask('/v1/tokens', who, { method: 'POST', body });

test('a caller learns who it is', async () => {
  expect((await ask('/v1/me', reader)).body).toEqual({
    id: 'token:reader',
    name: 'wall display',
    scopes: ['read:a/#'],
    isAdmin: false,
  });
  expect((await ask('/v1/me')).body).toMatchObject({ isAdmin: true, scopes: ['admin'] });
});

test('a token that was made works, with its scopes, until it is revoked', async () => {
  const expiresAt = '2099-01-01T01:00:00+01:00';
  const { status, body } = await make({ name: 'dash', scopes: ['read:a/#'], expiresAt });
  expect(status).toBe(201);
  const { token, ...entry } = body;
  expect(entry).toMatchObject({
    name: 'dash',
    scopes: ['read:a/#'],
    expiresAt: '2099-01-01T00:00:00Z',
  });
  const made = await createTokenAuthenticate({ store })(token);
  expect(made).toMatchObject({ name: 'dash', scopes: ['read:a/#'], isAdmin: false });
  const listed = await ask('/v1/tokens');
  expect(listed.body.tokens).toEqual([{ ...entry, lastUsedAt: expect.any(String) }]);
  expect(listed.text).not.toContain(token.slice(-43));
  expect((await ask(`/v1/tokens/${entry.id}`, admin, { method: 'DELETE' })).status).toBe(204);
  expect(await createTokenAuthenticate({ store })(token)).toBeUndefined();
  expect((await ask(`/v1/tokens/${entry.id}`, admin, { method: 'DELETE' })).status).toBe(404);
});

describe('nothing is made of', () => {
  test.each([
    [{ name: '', scopes: ['admin'] }, 'name'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['read:a/#', 'write:a'] }, 'scopes.1'],
    [{ name: 'x', scopes: ['read:a/#/b'] }, 'scopes.0'],
    [{ name: 'x', scopes: Array(101).fill('read:a') }, 'scopes'],
    [{ name: 'x', scopes: ['admin'], expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
    [{ name: 'x', scopes: ['admin'], expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ name: 'x', scopes: ['admin'], id: '0' }, 'id'],
  ])('%j', async (body, field) => {
    const { status, body: answer } = await make(body);
    expect(status).toBe(400);
    expect(answer.errors).toMatchObject([{ field }]);
    expect(await store.list()).toEqual([]);
  });
});

test('who is no admin sees, makes and revokes none', async () => {
  const { entry } = await store.create({ name: 'x', scopes: knownScopes(['read:a']) });
  expect((await ask('/v1/tokens', reader)).status).toBe(403);
  expect((await make({ name: 'x', scopes: ['admin'] }, reader)).status).toBe(403);
  const revoked = await ask(`/v1/tokens/${entry.id}`, reader, { method: 'DELETE' });
  expect(revoked.status).toBe(403);
  expect(await store.list()).toHaveLength(1);
});
