// Subscriptions to response topics: counted by those who use them, and made again on each new connection.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Link } from '../broker/connection.ts';

export type Subscribed =
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'offline' };

interface Subscription {
  users: number;
  isSubscribed: boolean;
  /** What the broker of the current connection said. */
  ready: Promise<Subscribed>;
  lingering?: NodeJS.Timeout;
}

/** A filter with a wildcard serves the next command too: it is kept for so long after its last one. */
const lingerMs = 60_000;

/** After so many connections in a row that ended on its SUBSCRIBE alone, a filter is given up. */
const maxLonelyCloses = 2;

const maxSuspects = 1000;

export class Subscriptions {
  readonly #ackTimeoutMs: number;
  readonly #log: Logger;
  readonly #maxFilters: number;
  readonly #byFilter = new Map<string, Subscription>();
  /**
   * Filters whose SUBACK did not come before the connection ended, with the number of times that nothing else could
   * be the reason: mosquitto closes on a filter of more than 200 levels, and would on every connection that follows.
   */
  readonly #suspects = new LRUCache<string, number>({ max: maxSuspects });
  #link: Link | undefined;
  /** What waits for its SUBACK on the current connection. */
  #unanswered = new Map<string, () => void>();
  #brokenLink: Link | undefined;

  /** `maxFilters`: as many as the broker lets a connection have. */
  constructor(ackTimeoutMs: number, log: Logger, maxFilters = Number.POSITIVE_INFINITY) {
    this.#ackTimeoutMs = ackTimeoutMs;
    this.#maxFilters = maxFilters;
    this.#log = log;
  }

  /**
   * Takes a new connection, and subscribes there to all that is in use; resolves when the broker has answered, so that
   * a connection which ends by then has ended on a filter. Suspects come last, one after the other.
   */
  async attach(link: Link, isPublishing: () => boolean): Promise<void> {
    this.#link = link;
    const unanswered = new Map<string, () => void>();
    this.#unanswered = unanswered;
    let wasPublishing = false;
    link.client.once('close', () => {
      wasPublishing = isPublishing();
    });
    void link.closed.then(() => {
      const isAlone = unanswered.size === 1 && !wasPublishing;
      for (const [filter, giveUp] of unanswered) {
        this.#brokenLink = link;
        this.#suspects.set(filter, (this.#suspects.get(filter) ?? 0) + (isAlone ? 1 : 0));
        giveUp();
      }
    });
    const all = [...this.#byFilter];
    for (const [filter, subscription] of all) {
      subscription.isSubscribed = false;
      if (!this.#suspects.has(filter)) this.#subscribe(filter, subscription);
    }
    await Promise.all(all.map(([, { ready }]) => ready));
    for (const [filter, subscription] of all) {
      if (!this.#suspects.has(filter) || this.#link !== link) continue;
      this.#subscribe(filter, subscription);
      await subscription.ready;
    }
  }

  /** Whether a connection ended while a SUBSCRIBE was not answered. */
  mayHaveBroken(link: Link): boolean {
    return this.#brokenLink === link;
  }

  /** Whether one more can be used. */
  hasRoomFor(filter: string): boolean {
    return this.#byFilter.has(filter) || this.#byFilter.size < this.#maxFilters;
  }

  use(filter: string): void {
    const subscription = this.#byFilter.get(filter);
    if (subscription === undefined) {
      const ready = Promise.resolve<Subscribed>({ kind: 'offline' });
      const added: Subscription = { users: 1, isSubscribed: false, ready };
      this.#byFilter.set(filter, added);
      this.#subscribe(filter, added);
      return;
    }
    clearTimeout(subscription.lingering);
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
      this.#byFilter.delete(filter);
      if (subscription.isSubscribed && this.#link?.client.connected)
        this.#link.client.unsubscribe(filter, () => {});
    };
    if (filter.endsWith('/+')) subscription.lingering = setTimeout(unsubscribe, lingerMs).unref();
    else unsubscribe();
  }

  close(): void {
    for (const { lingering } of this.#byFilter.values()) clearTimeout(lingering);
    this.#byFilter.clear();
  }

  #subscribe(filter: string, subscription: Subscription): void {
    subscription.ready = this.#answer(filter).then((subscribed) => {
      subscription.isSubscribed = subscribed.kind === 'subscribed';
      return subscribed;
    });
  }

  #answer(filter: string): Promise<Subscribed> {
    const link = this.#link;
    if (link === undefined || !link.client.connected) return Promise.resolve({ kind: 'offline' });
    if ((this.#suspects.get(filter) ?? 0) >= maxLonelyCloses)
      return Promise.resolve({
        kind: 'refused',
        reason: 'the broker closed the connection on the subscription to the response topic',
      });
    const unanswered = this.#unanswered;
    return new Promise((resolve) => {
      const settle = (subscribed: Subscribed) => {
        clearTimeout(timer);
        unanswered.delete(filter);
        if (subscribed.kind !== 'offline') this.#suspects.delete(filter);
        resolve(subscribed);
      };
      // A broker that says nothing is taken for gone, as with a publish.
      const timer = setTimeout(() => link.client.stream.destroy(), this.#ackTimeoutMs);
      unanswered.set(filter, () => settle({ kind: 'offline' }));
      // Retain handling 2: replies from before the question are not wanted (MQTT 5).
      link.client.subscribe(filter, { qos: 1, rh: 2 }, (error) => {
        if (!error) return settle({ kind: 'subscribed' });
        // The end of the connection settles all that is not answered at once.
        if (!('code' in error)) return;
        this.#log.warn({ filter, reason: error.message }, 'the broker refused a response topic');
        settle({
          kind: 'refused',
          reason: `the broker refused the subscription to the response topic: ${error.message}`,
        });
      });
    });
  }
}
