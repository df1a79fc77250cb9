// Subscriptions to response topics: counted by those who use them, and made again on each new connection.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Link } from '../connection/link.ts';
import { type Subscribed, subscribeOnce } from './subscribe.ts';

/**
 * Subscribes on a connection on which nobody waits behind it, to see what the broker does; undefined where neither the
 * filter is suspect, nor its caller.
 */
export type TryFilter = (
  filter: string,
  caller: string,
  isSuspect: boolean,
) => Promise<Subscribed> | undefined;

export interface SubscriptionsOptions {
  readonly ackTimeoutMs: number;
  readonly log: Logger;
  readonly tryFilter: TryFilter;
}

interface Subscription {
  /** Who first used it. */
  readonly caller: string;
  users: number;
  /** SUBSCRIBE has left on the current connection. */
  isAsked: boolean;
  /** What the broker of the current connection said. */
  ready: Promise<Subscribed>;
  lingering?: NodeJS.Timeout;
}

/** A filter with a wildcard serves the next command too: it is kept for so long after its last one. */
const lingerMs = 60_000;

/** And so many of them at most. */
const maxLingering = 50;

const maxSuspects = 1000;

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #byFilter = new Map<string, Subscription>();
  readonly #lingering = new Map<string, () => void>();
  /**
   * Filters whose SUBACK did not come before the connection ended: mosquitto closes on a filter of more than 200 levels,
   * and would on every connection that follows.
   */
  readonly #suspects = new LRUCache<string, true>({ max: maxSuspects });
  #link: Link | undefined;
  /** What waits for its SUBACK on the current connection. */
  #unanswered = new Set<string>();
  #brokenLink: Link | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** Takes a new connection, and subscribes there to all that is in use. */
  attach(link: Link): void {
    this.#link = link;
    const unanswered = new Set<string>();
    this.#unanswered = unanswered;
    link.client.once('close', () => {
      for (const filter of unanswered) this.#suspects.set(filter, true);
      if (unanswered.size > 0) this.#brokenLink = link;
    });
    for (const [filter, subscription] of this.#byFilter) {
      subscription.isAsked = false;
      this.#subscribe(filter, subscription);
    }
  }

  /** Whether the connection has ended before the broker answered a SUBSCRIBE. */
  wasUnanswered(link: Link): boolean {
    return this.#brokenLink === link;
  }

  use(filter: string, caller: string): void {
    const subscription = this.#byFilter.get(filter);
    if (subscription === undefined) {
      const ready = Promise.resolve<Subscribed>({ kind: 'offline' });
      const added: Subscription = { caller, users: 1, isAsked: false, ready };
      this.#byFilter.set(filter, added);
      this.#subscribe(filter, added);
      return;
    }
    clearTimeout(subscription.lingering);
    this.#lingering.delete(filter);
    subscription.users++;
  }

  /** What became of a filter that is in use. */
  async ready(filter: string): Promise<Subscribed> {
    return this.#byFilter.get(filter)?.ready ?? { kind: 'offline' };
  }

  release(filter: string): void {
    const subscription = this.#byFilter.get(filter);
    if (subscription === undefined || --subscription.users > 0) return;
    const unsubscribe = () => {
      clearTimeout(subscription.lingering);
      this.#lingering.delete(filter);
      this.#byFilter.delete(filter);
      // Also before its SUBACK: the broker takes them in their order, and its bound on subscriptions holds at each instant.
      if (subscription.isAsked && this.#link?.client.connected)
        this.#link.client.unsubscribe(filter, () => {});
    };
    if (!filter.endsWith('/+')) return unsubscribe();
    this.#lingering.set(filter, unsubscribe);
    subscription.lingering = setTimeout(unsubscribe, lingerMs).unref();
    const [oldest] = this.#lingering.values();
    if (this.#lingering.size > maxLingering) oldest?.();
  }

  close(): void {
    for (const { lingering } of this.#byFilter.values()) clearTimeout(lingering);
    this.#byFilter.clear();
    this.#lingering.clear();
  }

  #subscribe(filter: string, subscription: Subscription): void {
    subscription.ready = this.#answer(filter, subscription);
  }

  async #answer(filter: string, subscription: Subscription): Promise<Subscribed> {
    const link = this.#link;
    if (link === undefined || !link.client.connected) return { kind: 'offline' };
    const { tryFilter, ackTimeoutMs, log } = this.#options;
    const tried = tryFilter(filter, subscription.caller, this.#suspects.has(filter));
    const harmless = (await tried) ?? { kind: 'subscribed' };
    if (harmless.kind !== 'subscribed') return harmless;
    // Another connection may have begun meanwhile, and have asked again; or nobody wants it any more.
    if (this.#link !== link || !link.client.connected) return { kind: 'offline' };
    if (this.#byFilter.get(filter) !== subscription) return { kind: 'offline' };
    subscription.isAsked = true;
    const unanswered = this.#unanswered;
    unanswered.add(filter);
    const subscribed = await subscribeOnce(link, filter, ackTimeoutMs);
    unanswered.delete(filter);
    if (subscribed.kind !== 'offline') this.#suspects.delete(filter);
    if (subscribed.kind === 'refused')
      log.warn({ filter, reason: subscribed.reason }, 'the broker refused a response topic');
    return subscribed;
  }
}
