import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createAuthenticate,
  createTokenAuthenticate,
  staticToken,
} from '../../../../functions/api/access/authentication.ts';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import { createTokenStore, type TokenStore } from '../../../../functions/api/access/tokens.ts';
import { startTable, type TestTable } from '../../../support/table.ts';
import { until } from '../../../support/wait.ts';

describe('tokens of the table', () => {
  let table: TestTable;
  let store: TokenStore;

  beforeAll(async () => {
    table = await startTable();
    store = createTokenStore(table);
  });
  afterAll(() => table.close());

  const newToken = (expiresAt?: Date) =>
    store.create({
      name: 'test',
      scopes: knownScopes(['read:devices/#']),
      ...(expiresAt !== undefined && { expiresAt }),
    });

  /** An authenticator whose clock the test moves, and that counts what it asks of the table. */
  function clocked() {
    const clock = { nowMs: Date.now(), reads: 0 };
    const authenticate = createTokenAuthenticate({
      store: {
        async read(id) {
          clock.reads++;
          return store.read(id);
        },
      },
      now: () => clock.nowMs,
    });
    return { clock, authenticate };
  }

  test('a new token works at once, with its scopes', async () => {
    const { authenticate } = clocked();
    const { entry, token } = await newToken();
    const principal = await authenticate(token);
    expect(principal?.id).toBe(`token:${entry.id}`);
    expect(principal?.can('read', 'devices/a')).toBe(true);
    expect(principal?.can('publish', 'devices/a')).toBe(false);
  });

  test('one that somebody tried before it was there works within half a second', async () => {
    const { clock, authenticate } = clocked();
    const { entry, token } = await newToken();
    const stored = await store.read(entry.id);
    let isThere = false;
    const late = createTokenAuthenticate({
      store: { read: async () => (isThere ? stored : undefined) },
      now: () => clock.nowMs,
    });
    expect(await late(token)).toBeUndefined();
    isThere = true;
    clock.nowMs += 499;
    expect(await late(token)).toBeUndefined();
    clock.nowMs += 1;
    expect(await late(token)).toBeDefined();
    expect(await authenticate(token)).toBeDefined();
  });

  test('a revoked token stops when the second is over', async () => {
    const { clock, authenticate } = clocked();
    const { entry, token } = await newToken();
    expect(await authenticate(token)).toBeDefined();
    await store.revoke(entry.id);
    clock.nowMs += 1000;
    expect(await authenticate(token)).toBeUndefined();
  });

  test('a revoked token stops by a real clock too', async () => {
    const authenticate = createTokenAuthenticate({ store });
    const { entry, token } = await newToken();
    expect(await authenticate(token)).toBeDefined();
    await store.revoke(entry.id);
    await until(async () => (await authenticate(token)) === undefined);
  });

  test('an expired token does not work, whatever DynamoDB has deleted', async () => {
    const { clock, authenticate } = clocked();
    const endMs = Math.ceil(clock.nowMs / 1000) * 1000 + 60_000;
    const { token } = await newToken(new Date(endMs));
    expect(await authenticate(token)).toBeDefined();
    clock.nowMs = endMs - 1;
    expect(await authenticate(token)).toBeDefined();
    clock.nowMs = endMs;
    expect(await authenticate(token)).toBeUndefined();
  });

  test('a wrong secret, another id and no token at all are nobody', async () => {
    const { clock, authenticate } = clocked();
    const [one, other] = [await newToken(), await newToken()];
    const secretOf = (token: string) => token.slice(-43);
    const wrong = [
      one.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      `causeway_${one.entry.id}_${secretOf(other.token)}`,
      `causeway_${'0'.repeat(16)}_${secretOf(one.token)}`,
    ];
    for (const token of wrong) expect(await authenticate(token)).toBeUndefined();
    const { reads } = clock;
    for (const token of ['', 'causeway_', one.token.slice(0, -1), one.token.toUpperCase()])
      expect(await authenticate(token)).toBeUndefined();
    expect(clock.reads).toBe(reads);
    expect(await authenticate(one.token)).toBeDefined();
  });

  test('an item without a digest lets nobody in', async () => {
    const { token } = await newToken();
    const authenticate = createTokenAuthenticate({
      store: {
        read: async (id) => ({
          id,
          name: '',
          scopes: ['admin'],
          createdAt: '',
          secretDigest: Buffer.of(),
        }),
      },
    });
    expect(await authenticate(token)).toBeUndefined();
  });

  test('a use is noted once an hour, by one who knows the secret', async () => {
    const { entry, token } = await newToken();
    let nowMs = Date.parse('2099-01-01T00:00:00Z');
    const noted: string[] = [];
    const noting = () =>
      createTokenAuthenticate({
        store: {
          read: store.read,
          async noteUse(id, at) {
            noted.push(at.toISOString());
            await store.noteUse(id, at);
          },
        },
        now: () => nowMs,
      });
    const authenticate = noting();
    await authenticate(token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')));
    expect(noted).toEqual([]);
    await Promise.all([authenticate(token), authenticate(token)]);
    nowMs += 3_599_000;
    await authenticate(token);
    // Another process sees what this one has written down.
    await noting()(token);
    expect(noted).toEqual(['2099-01-01T00:00:00.000Z']);
    nowMs += 1000;
    await authenticate(token);
    expect(noted).toHaveLength(2);
    expect((await store.read(entry.id))?.lastUsedAt).toBe('2099-01-01T01:00:00Z');
    await store.revoke(entry.id);
    await expect(store.noteUse(entry.id, new Date())).rejects.toThrow();
    expect(await store.read(entry.id)).toBeUndefined();
  });

  test('a token works where its use cannot be noted', async () => {
    const { token } = await newToken();
    const noteUse = () => Promise.reject(new Error('no database'));
    const authenticate = createTokenAuthenticate({ store: { read: store.read, noteUse } });
    expect(await authenticate(token)).toBeDefined();
  });

  test('a token that is used often is read once a second', async () => {
    const { clock, authenticate } = clocked();
    const { token } = await newToken();
    await Promise.all(Array.from({ length: 50 }, () => authenticate(token)));
    clock.nowMs += 999;
    await authenticate(token);
    expect(clock.reads).toBe(1);
    clock.nowMs += 1;
    await authenticate(token);
    expect(clock.reads).toBe(2);
    // Set back an hour, the clock does not give the answer another one.
    clock.nowMs -= 3_600_000;
    await authenticate(token);
    expect(clock.reads).toBe(3);
  });

  test('a database that does not answer is no reason to let anyone in, nor to say no', async () => {
    const { token } = await newToken();
    let isLost = true;
    const authenticate = createTokenAuthenticate({
      store: {
        async read(id) {
          if (isLost) throw new Error('lost');
          return store.read(id);
        },
      },
    });
    await expect(authenticate(token)).rejects.toThrow('lost');
    isLost = false;
    expect(await authenticate(token)).toBeDefined();
  });
});

test('the token of a local stack may do everything, and only that token', async () => {
  const authenticate = staticToken('a-token-for-the-tests');
  const principal = await authenticate('a-token-for-the-tests');
  expect(principal?.id).toBe('token:local');
  expect(principal?.can('publish', 'a')).toBe(true);
  for (const token of ['', 'a-token-for-the-test', 'A-token-for-the-tests'])
    expect(await authenticate(token)).toBeUndefined();
});

test('each kind of credentials is asked for its own', async () => {
  const asked: string[] = [];
  const kind = (name: string) => async (token: string) => {
    asked.push(name);
    return token.endsWith('good') ? principalOf(name, []) : undefined;
  };
  const authenticate = createAuthenticate({
    tokens: kind('tokens'),
    fixed: staticToken('causeway_fixed'),
    jwt: kind('jwt'),
  });
  expect((await authenticate('causeway_fixed'))?.id).toBe('token:local');
  expect(asked).toEqual([]);
  expect((await authenticate('causeway_good'))?.id).toBe('tokens');
  expect(await authenticate('causeway_bad')).toBeUndefined();
  expect((await authenticate('good'))?.id).toBe('jwt');
  expect(asked).toEqual(['tokens', 'tokens', 'jwt']);
  expect(await createAuthenticate({})('anything')).toBeUndefined();
});
