// Rate limits: how many requests a caller, and how many wrong tokens an address, may send in a second.
import { isIPv6 } from 'node:net';
import type { Context, MiddlewareHandler } from 'hono';
import { LRUCache } from 'lru-cache';
import { problem, problemResponse } from '../../contract/problem.ts';
import { secretDigest } from '../../contract/secret.ts';
import type { ApiEnvironment } from './api-environment.ts';
import { SecondCounts } from './second-counts.ts';

export interface RateLimit {
  /** Requests of one caller. Default 100. */
  readonly requestsPerSecond?: number;
  /** Requests with a token that is none, from one address. Default 10. */
  readonly failuresPerSecond?: number;
}

/**
 * Lets each principal have so many requests a second. Counted in this process alone: with several, or on Lambda,
 * it protects each one, and what stands in front of them has to limit the sum. A count lives for its second, so
 * there are never more of them than requests in one.
 */
export function limitRequests({
  requestsPerSecond = 100,
}: RateLimit): MiddlewareHandler<ApiEnvironment> {
  const counts = new SecondCounts();
  return async (context, next) => {
    const { id } = context.get('principal');
    const { count, msLeft } = counts.add(id);
    const remaining = Math.max(0, requestsPerSecond - count);
    if (count > requestsPerSecond) context.res = tooMany(msLeft);
    else await next();
    // draft-ietf-httpapi-ratelimit-headers
    const { headers } = context.res;
    headers.set('ratelimit-policy', `"requests";q=${requestsPerSecond};w=1`);
    headers.set('ratelimit', `"requests";r=${remaining};t=${wholeSeconds(msLeft)}`);
  };
}

/** The wrong tokens of each client address. */
export interface Failures {
  /** The answer to a request whose token shall not even be looked at now, or undefined. */
  refusal(address: string, token: string): Response | undefined;
  /** Takes note of whether a token was good. */
  note(address: string, token: string, isGood: boolean): void;
}

const maxGoodTokens = 1000;
const goodForMs = 10 * 60_000;

/**
 * Counts failed authentications, after the fact: a burst of good tokens must not be taken for wrong ones. One that
 * was good lately is always looked at: many callers may share an address, and one of them must not lock the others
 * out.
 */
export function createFailures({ failuresPerSecond = 10 }: RateLimit): Failures {
  const counts = new SecondCounts();
  const good = new LRUCache<string, true>({ max: maxGoodTokens, ttl: goodForMs });
  const keyOf = (token: string) => secretDigest(token).toString('base64');
  return {
    refusal(address, token) {
      const { count, msLeft } = counts.of(networkOf(address)) ?? { count: 0, msLeft: 0 };
      return count < failuresPerSecond || good.has(keyOf(token)) ? undefined : tooMany(msLeft);
    },
    note(address, token, isGood) {
      if (isGood) {
        good.set(keyOf(token), true);
      } else {
        good.delete(keyOf(token));
        counts.add(networkOf(address));
      }
    },
  };
}

function tooMany(msBeforeNext: number): Response {
  const retryAfter = String(wholeSeconds(msBeforeNext));
  return problemResponse(problem('rate-limited'), { 'retry-after': retryAfter });
}

function wholeSeconds(timeMs: number): number {
  return Math.max(1, Math.ceil(timeMs / 1000));
}

/** What the servers that this app runs on tell of a request, as far as it says where it came from. */
interface Connection {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
  readonly requestContext?: {
    readonly http?: { readonly sourceIp?: string };
    readonly identity?: { readonly sourceIp?: string };
  };
}

/**
 * The address a request came from, by API Gateway or the socket; `unknown`, the same for all, where neither says.
 * X-Forwarded-For does not count: anybody can write it.
 */
export function clientAddress(context: Context): string {
  const { requestContext, incoming } = (context.env ?? {}) as Connection;
  return (
    requestContext?.http?.sourceIp ??
    requestContext?.identity?.sourceIp ??
    incoming?.socket?.remoteAddress ??
    'unknown'
  );
}

/** The address, or its first 64 bits where it is IPv6: a single host may use all addresses of such a network. */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [left = [], right = []] = address
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':').toLowerCase()}::/64`;
}
