import type { CryptoKey, JWK } from 'jose';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  createJwtAuthenticate,
  IssuerUnavailableError,
  type JwtAlgorithm,
  type JwtOptions,
  jwtAlgorithms,
} from '../../../../functions/api/access/jwt.ts';
import {
  type Claims,
  discoveryPath,
  signToken,
  startIssuer,
  type TestIssuer,
} from '../../../support/issuer.ts';

let issuer: TestIssuer;
let key: { privateKey: CryptoKey; publicKey: JWK };

beforeEach(async () => {
  issuer = await startIssuer();
  key = await issuer.addKey('first');
  return () => issuer.close();
});

const authenticator = (options: Partial<JwtOptions> = {}) =>
  createJwtAuthenticate({ issuer: issuer.url, audience: 'causeway', ...options });

const sign = (claims: Claims = {}, header = {}) =>
  signToken(issuer.url, key.privateKey, { kid: 'first', ...header }, claims);

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('a good token', () => {
  test('names its principal by issuer and subject', async () => {
    const principal = await authenticator()(await sign({ scope: 'openid read:devices/#' }));
    expect(principal?.id).toBe(`jwt:${issuer.url}:alice`);
    expect(principal?.can('read', 'devices/a')).toBe(true);
    expect(principal?.can('publish', 'devices/a')).toBe(false);
    expect(issuer.requests).toEqual([discoveryPath, '/keys']);
  });

  test.each([
    ['scope', 'read:a publish:b', true],
    ['permissions', ['read:a', 'profile', 7, null], true],
    ['scope', undefined, false],
    ['scope', '', false],
    ['scope', 'read:a,publish:b', false],
    ['scope', { read: 'a' }, false],
    ['scope', ['openid'], false],
    ['constructor', undefined, false],
  ])('may do what the claim %s says: %j', async (scopeClaim, value, mayRead) => {
    const claims = value === undefined ? {} : { [scopeClaim]: value };
    const principal = await authenticator({ scopeClaim })(await sign(claims));
    expect(principal?.can('read', 'a')).toBe(mayRead);
  });

  test.each<[string, Claims]>([
    ['for several audiences', { aud: ['other', 'causeway'] }],
    ['that is over since the tolerance', { exp: nowSeconds() - 30 }],
    ['that begins within the tolerance', { nbf: nowSeconds() + 30 }],
  ])('%s is accepted', async (_, claims) => {
    expect(await authenticator()(await sign(claims))).toBeDefined();
  });

  test.each(jwtAlgorithms)('may be signed with %s', async (alg) => {
    const { privateKey } = await issuer.addKey(alg, alg);
    const token = await signToken(issuer.url, privateKey, { alg, kid: alg });
    expect(await authenticator()(token)).toBeDefined();
    const other: JwtAlgorithm = alg === 'RS512' ? 'ES512' : 'RS512';
    expect(await authenticator({ algorithms: [other] })(token)).toBeUndefined();
  });
});

describe('nobody is who comes with', () => {
  test.each<[string, Claims]>([
    ['another issuer', { iss: 'https://other.example.com' }],
    ['the issuer written otherwise', { iss: 'HTTP://127.0.0.1' }],
    ['another audience', { aud: 'other' }],
    ['audiences without ours', { aud: ['other', 'Causeway'] }],
    ['no audience', { aud: undefined }],
    ['no issuer', { iss: undefined }],
    ['no expiry', { exp: undefined }],
    ['an expiry in the past', { exp: nowSeconds() - 120 }],
    ['a beginning in the future', { nbf: nowSeconds() + 120 }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is no text', { sub: 7 }],
    ['an expiry that is no number', { exp: '2099-01-01' }],
  ])('%s', async (_, claims) => {
    expect(await authenticator()(await sign({ scope: 'admin', ...claims }))).toBeUndefined();
  });

  test('an unknown key', async () => {
    expect(await authenticator()(await sign({}, { kid: 'other' }))).toBeUndefined();
  });

  test("another key's signature", async () => {
    const other = await startIssuer();
    onTestFinished(() => other.close());
    const { privateKey } = await other.addKey('first');
    const token = await signToken(issuer.url, privateKey, { kid: 'first' });
    expect(await authenticator()(token)).toBeUndefined();
  });

  test('no signature, or one with the public key as the secret', async () => {
    const [, payload] = (await sign({ scope: 'admin' })).split('.');
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const secret = Buffer.from(JSON.stringify(key.publicKey));
    const forged = [
      `${encode({ alg: 'none', kid: 'first' })}.${payload}.`,
      `${encode({ alg: 'None' })}.${payload}.`,
      `${encode({ alg: 'ES256', kid: 'first' })}.${payload}.`,
      await signToken(issuer.url, secret, { alg: 'HS256', kid: 'first' }),
    ];
    for (const token of forged) expect(await authenticator()(token)).toBeUndefined();
  });

  test('a key of their own, in the header', async () => {
    const other = await startIssuer();
    onTestFinished(() => other.close());
    const { privateKey, publicKey } = await other.addKey('first');
    const header = { kid: 'first', jwk: publicKey, jku: `${other.url}/keys` };
    expect(await authenticator()(await signToken(issuer.url, privateKey, header))).toBeUndefined();
    expect(other.requests).toEqual([]);
  });

  test('a changed payload or an extension that must be understood', async () => {
    const [header, , signature] = (await sign()).split('.');
    const payload = Buffer.from(JSON.stringify({ sub: 'mallory' })).toString('base64url');
    const critical = Buffer.from(
      JSON.stringify({ alg: 'ES256', kid: 'first', crit: ['x'], x: 1 }),
    ).toString('base64url');
    for (const token of [
      `${header}.${payload}.${signature}`,
      `${critical}.${payload}.${signature}`,
    ])
      expect(await authenticator()(token)).toBeUndefined();
  });

  test.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d.e', '..', `${'a'.repeat(8000)}.b.c`])(
    '%j, which does not trouble the issuer',
    async (token) => {
      expect(await authenticator()(token)).toBeUndefined();
      expect(issuer.requests).toEqual([]);
    },
  );
});

describe("the issuer's keys", () => {
  test('are read once for many tokens', async () => {
    const authenticate = authenticator({ jwksUrl: `${issuer.url}/keys` });
    const token = await sign();
    await Promise.all(Array.from({ length: 20 }, () => authenticate(token)));
    expect(issuer.requests).toEqual(['/keys']);
  });

  test('are read again for a new key, but not for every unknown one', async () => {
    const eager = authenticator({ keysCooldownMs: 0 });
    const patient = authenticator();
    for (const authenticate of [eager, patient])
      expect(await authenticate(await sign())).toBeDefined();
    const { privateKey } = await issuer.addKey('second');
    issuer.removeKey('first');
    const rotated = await signToken(issuer.url, privateKey, { kid: 'second' });
    expect(await eager(rotated)).toBeDefined();
    expect(await eager(await sign())).toBeUndefined();
    const before = issuer.requests.length;
    for (let count = 0; count < 10; count++) expect(await patient(rotated)).toBeUndefined();
    expect(issuer.requests).toHaveLength(before);
  });

  test.each<[string, string, unknown]>([
    ['discovery answers 500', discoveryPath, 500],
    ['discovery names no keys', discoveryPath, {}],
    ['discovery is null', discoveryPath, 'null'],
    ['the keys answer 500', '/keys', 500],
    ['the keys are no JSON', '/keys', '{'],
    ['the keys are none', '/keys', { keys: 'none' }],
    ['the keys are too many', '/keys', { keys: [], padding: 'x'.repeat(1024 * 1024) }],
  ])('are lost when %s', async (_, path, answer) => {
    issuer.answers.set(path, answer);
    const failure = await authenticator()(await sign()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IssuerUnavailableError);
    expect(failure).toMatchObject({ code: 'issuer-unavailable' });
  });

  test('are lost when discovery is of another issuer', async () => {
    issuer.answers.set(discoveryPath, {
      issuer: 'https://other.example.com',
      jwks_uri: `${issuer.url}/keys`,
    });
    await expect(authenticator()(await sign())).rejects.toThrow(/not of the issuer/);
  });

  test('are lost when they have moved', async () => {
    issuer.answers.set('/moved', 302);
    const authenticate = authenticator({ jwksUrl: `${issuer.url}/moved` });
    await expect(authenticate(await sign())).rejects.toThrow(IssuerUnavailableError);
  });

  test('are lost when discovery leads to where others could answer', async () => {
    issuer.answers.set(discoveryPath, {
      issuer: issuer.url,
      jwks_uri: 'http://keys.example.com/keys',
    });
    await expect(authenticator()(await sign())).rejects.toThrow(/https/);
  });

  test('are asked for again when the issuer is back, and not by each token until then', async () => {
    const authenticate = authenticator();
    const token = await sign();
    issuer.answers.set(discoveryPath, 503);
    for (let count = 0; count < 5; count++)
      await expect(authenticate(token)).rejects.toThrow(IssuerUnavailableError);
    expect(issuer.requests.length).toBeLessThan(5);
    issuer.answers.delete(discoveryPath);
    await expect.poll(() => authenticate(token), { timeout: 60_000 }).toBeDefined();
  });

  test('are lost when nobody answers', async () => {
    const token = await sign();
    const authenticate = authenticator();
    await issuer.close();
    await expect(authenticate(token)).rejects.toThrow(IssuerUnavailableError);
  });
});

test.each<[Partial<JwtOptions>, RegExp]>([
  [{ issuer: 'http://login.example.com' }, /issuer/],
  [{ issuer: 'http://127.0.0.1.example.com' }, /issuer/],
  [{ issuer: 'http://localhost@example.com' }, /issuer/],
  [{ issuer: 'login' }, /issuer/],
  [{ jwksUrl: 'http://login.example.com/keys' }, /jwksUrl/],
  [{ jwksUrl: 'file:///keys' }, /jwksUrl/],
  [{ audience: '' }, /audience/],
  [{ algorithms: [] }, /algorithms/],
  [{ algorithms: ['HS256' as JwtAlgorithm] }, /algorithms/],
])('options that are not safe are refused: %j', (options, message) => {
  expect(() => authenticator(options)).toThrow(message);
});
