// Authentication: whose a bearer token is. Tokens of the table, the one of a local stack, or an issuer's JWTs.
import { LRUCache } from 'lru-cache';
import { hasDigest, secretCheck } from '../../contract/secret.ts';
import type { Authenticate } from './principal.ts';
import { knownScopes, principalOf } from './scopes.ts';
import { parseToken, type StoredToken, type TokenStore, tokenPrefix } from './tokens.ts';

export interface Credentials {
  /** Tokens that start with `causeway_`. */
  readonly tokens?: Authenticate;
  /** One more token, with a form of its own: see {@link staticToken}. */
  readonly fixed?: Authenticate;
  /** All others. */
  readonly jwt?: Authenticate;
}

/** Asks the kind of credentials that a token is of. What none of them knows is nobody's. */
export function createAuthenticate({ tokens, fixed, jwt }: Credentials): Authenticate {
  return async (token) => {
    const principal = await fixed?.(token);
    if (principal !== undefined) return principal;
    return token.startsWith(tokenPrefix) ? tokens?.(token) : jwt?.(token);
  };
}

/** The token of a local stack, which may do everything. */
export function staticToken(token: string): Authenticate {
  const isToken = secretCheck(token);
  const principal = principalOf('token:local', [{ kind: 'admin' }], { name: 'local' });
  return async (given) => (isToken(given) ? principal : undefined);
}

export interface TokenAuthenticationOptions {
  /** Without `noteUse` nobody learns when a token was used. */
  readonly store: Pick<TokenStore, 'read'> & Partial<Pick<TokenStore, 'noteUse'>>;
  /** Clock, in milliseconds since 1970. */
  readonly now?: () => number;
}

/** A revoked token stops within this time. */
const foundForMs = 1000;
/** And a new one that somebody tried too early works within this. */
const missedForMs = 500;
const maxCachedTokens = 1000;
/** How far behind the last use of a token may be told: it costs a write. */
const useNotedEveryMs = 3_600_000;

interface Lookup {
  readonly startedMs: number;
  readonly token: Promise<StoredToken | undefined>;
  /** How long its answer holds, from its start. */
  lastsMs: number;
}

/**
 * Authenticates the tokens of the table. Each is looked up once a second at most, however often it is used, and an
 * unknown one twice. Rejects when the database does not answer: that is no reason to let anyone in, or to say that
 * a token is wrong.
 */
export function createTokenAuthenticate({
  store,
  now = Date.now,
}: TokenAuthenticationOptions): Authenticate {
  const lookups = new LRUCache<string, Lookup>({ max: maxCachedTokens });
  /** When this process last tried to note a use, by token. */
  const noted = new LRUCache<string, number>({ max: maxCachedTokens });

  function lookUp(id: string): Lookup {
    const lookup: Lookup = { startedMs: now(), token: store.read(id), lastsMs: foundForMs };
    lookups.set(id, lookup);
    lookup.token.then(
      (token) => {
        if (token === undefined) lookup.lastsMs = missedForMs;
      },
      () => {
        lookup.lastsMs = 0;
      },
    );
    return lookup;
  }

  /** Notes that a token is used, once an hour. That it cannot be noted is no reason to refuse it. */
  async function noteUse({ id, lastUsedAt }: StoredToken): Promise<void> {
    const nowMs = now();
    const lastMs = Math.max(
      noted.get(id) ?? 0,
      lastUsedAt === undefined ? 0 : Date.parse(lastUsedAt),
    );
    if (nowMs - lastMs < useNotedEveryMs) return;
    noted.set(id, nowMs);
    await store.noteUse?.(id, new Date(nowMs)).catch(() => {});
  }

  return async (text) => {
    const parts = parseToken(text);
    if (parts === undefined) return undefined;
    const known = lookups.get(parts.id);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : now() - known.startedMs;
    // A clock that was set back must not make an answer last.
    const isFresh = known !== undefined && ageMs >= 0 && ageMs < known.lastsMs;
    const token = await (isFresh ? known : lookUp(parts.id)).token;
    if (token === undefined || !hasDigest(parts.secret, token.secretDigest)) return undefined;
    if (token.expiresAt !== undefined && Date.parse(token.expiresAt) <= now()) return undefined;
    await noteUse(token);
    return principalOf(`token:${token.id}`, knownScopes(token.scopes), token);
  };
}
