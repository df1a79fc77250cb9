// JWTs of an OIDC issuer: which are accepted, whose they are, and what their scopes allow.
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { secondText } from '../../contract/time.ts';
import type { Authenticate } from './principal.ts';
import { isSafeUrl, safeUrlRule } from './safe-url.ts';
import { knownScopes, principalOf } from './scopes.ts';

/** Signatures that can be checked with a public key; so nobody can sign with what everybody knows. */
export const jwtAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

export interface JwtOptions {
  /** The issuer, as in the claim `iss`: an https URL, or an http one on loopback. */
  readonly issuer: string;
  /** What the claim `aud` has to be or to contain. */
  readonly audience: string;
  /** Where the issuer's keys are; by default as its discovery document says. https, or http on loopback. */
  readonly jwksUrl?: string;
  /** Claim with the scopes: text with spaces between them, or an array. Default `scope`. */
  readonly scopeClaim?: string;
  readonly algorithms?: readonly JwtAlgorithm[];
  /** How far the issuer's clock may be off, in seconds. Default 60. */
  readonly clockToleranceSeconds?: number;
  /** How long after the keys were read an unknown key id does not have them read again. Default 30,000. */
  readonly keysCooldownMs?: number;
}

/** The issuer's keys cannot be had, so nobody can say whether a token is good. */
export class IssuerUnavailableError extends Error {
  readonly code = 'issuer-unavailable';

  constructor(cause: unknown) {
    super(`the issuer's keys cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
    this.name = 'IssuerUnavailableError';
  }
}

const fetchTimeoutMs = 5000;
const maxDocumentBytes = 1024 * 1024;
/** After a failure the issuer is left alone for this long, however many tokens come. */
const failureCooldownMs = 1000;
/** A key that the issuer withdrew is trusted no longer than this. */
const keysMaxAgeMs = 10 * 60_000;

/**
 * Authenticates JWTs that the issuer signed for the audience and that have not expired. Scopes that are none of
 * ours are meant for others; without any the caller is known, and may do nothing. Throws for options that would
 * not be safe; the result rejects with {@link IssuerUnavailableError} when the keys cannot be had.
 */
export function createJwtAuthenticate(options: JwtOptions): Authenticate {
  const { issuer, audience, scopeClaim = 'scope' } = options;
  const { algorithms = jwtAlgorithms, clockToleranceSeconds = 60 } = options;
  safeUrl(issuer, 'issuer');
  if (options.jwksUrl !== undefined) safeUrl(options.jwksUrl, 'jwksUrl');
  if (audience === '') throw new Error('audience: must not be empty');
  if (algorithms.length === 0 || !algorithms.every((name) => jwtAlgorithms.includes(name)))
    throw new Error(`algorithms: must be some of ${jwtAlgorithms.join(', ')}`);

  const keyOf = issuerKeys(options);
  return async (token) => {
    // Loaded with the first JWT: who configures none, or gets none, does not wait for it at a cold start.
    const { jwtVerify, errors } = await import('jose');
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: clockToleranceSeconds,
        requiredClaims: ['exp', 'sub'],
      });
      const { sub, exp = 0, name = sub } = payload;
      if (typeof sub !== 'string' || sub === '') return undefined;
      return principalOf(`jwt:${issuer}:${sub}`, knownScopes(scopesIn(payload, scopeClaim)), {
        name: typeof name === 'string' ? name : sub,
        expiresAt: secondText(exp * 1000),
      });
    } catch (error) {
      // What is left of the library's errors is the token's fault: form, algorithm, key, signature or claims.
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };
}

function scopesIn(payload: JWTPayload, claim: string): string[] {
  const value = payload[claim];
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((scope) => typeof scope === 'string') : [];
}

/** The key that a token names, of the keys that the issuer has now; read when the first token needs them. */
function issuerKeys({ issuer, jwksUrl, keysCooldownMs = 30_000 }: JwtOptions): JWTVerifyGetKey {
  const fetchJson = createFetchJson();
  let keySet: Promise<JWTVerifyGetKey> | undefined;

  async function openKeySet(): Promise<JWTVerifyGetKey> {
    const url = safeUrl(jwksUrl ?? (await discoverJwksUrl(issuer, fetchJson)), 'jwks_uri');
    const { createRemoteJWKSet, customFetch } = await import('jose');
    return createRemoteJWKSet(url, {
      cooldownDuration: keysCooldownMs,
      cacheMaxAge: keysMaxAgeMs,
      [customFetch]: async (href: string) => Response.json(await fetchJson(new URL(href))),
    });
  }

  return async (header, token) => {
    const { errors } = await import('jose');
    try {
      keySet ??= openKeySet().catch((error) => {
        keySet = undefined;
        throw error;
      });
      return await (await keySet)(header, token);
    } catch (error) {
      if (
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported
      )
        throw error;
      throw error instanceof IssuerUnavailableError ? error : new IssuerUnavailableError(error);
    }
  };
}

type FetchJson = (url: URL) => Promise<unknown>;

/** OpenID Connect Discovery 1.0: the document has to name the very issuer that it was asked of (4.3). */
async function discoverJwksUrl(issuer: string, fetchJson: FetchJson): Promise<string> {
  const url = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const document = (await fetchJson(url)) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (document?.issuer !== issuer) throw new Error(`${url} is not of the issuer ${issuer}`);
  if (typeof document.jwks_uri !== 'string') throw new Error(`${url} names no jwks_uri`);
  return document.jwks_uri;
}

/** Reads JSON documents, bounded in time and size; right after a failure it fails at once. */
function createFetchJson(): FetchJson {
  let failure: { readonly error: unknown; readonly atMs: number } | undefined;
  return async (url) => {
    if (failure !== undefined && performance.now() - failure.atMs < failureCooldownMs)
      throw failure.error;
    try {
      const document = await readJson(url);
      failure = undefined;
      return document;
    } catch (error) {
      failure = { error: new IssuerUnavailableError(error), atMs: performance.now() };
      throw failure.error;
    }
  };
}

async function readJson(url: URL): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxDocumentBytes)
      throw new Error(`${url} is larger than ${maxDocumentBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function safeUrl(text: string, name: string): URL {
  if (isSafeUrl(text)) return new URL(text);
  throw new Error(`${name}: ${safeUrlRule}`);
}
