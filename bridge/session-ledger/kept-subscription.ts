// The one subscription of a session that the config wants: makes the broker's state equal to it on each connection, by
// the ledger, and knows whose messages came by an earlier one.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { BrokerConfig } from '../config/config.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { Link } from '../connection/link.ts';
import type { SessionState } from '../session/session-state.ts';
import { subscribe, unsubscribe } from '../session/subscribe.ts';
import type { Subscriber, TopicOwner } from '../session/subscriber.ts';
import { filterText, type SessionEntry, type Subscription } from './entry.ts';
import type { SessionLedger } from './ledger.ts';
import {
  isGrantedAs,
  planSubscriptions,
  type WantedSession,
  withDoubtful,
  withoutSubscriptions,
  withSubscription,
} from './plan.ts';
import { topicOwners } from './topics.ts';

export interface KeptSubscriptionOptions {
  readonly ledger: SessionLedger;
  readonly wanted: WantedSession;
  readonly broker: Pick<BrokerConfig, 'cleanSession' | 'profile' | 'sessionExpirySeconds'>;
  readonly log: Logger;
  /** The broker no longer had a session that it should have kept. */
  readonly onSessionLost: () => void;
}

const resubscribeMs = 30_000;
/**
 * A session that another one has to make room for is subscribed, and keeps what comes; but where it cannot be had for so
 * long, a message may come twice rather than never.
 */
const predecessorMs = 5 * 60_000;

export class KeptSubscription implements Subscriber {
  readonly ownerOf: (topic: string) => TopicOwner;
  readonly #options: KeptSubscriptionOptions;
  #state: SessionState = { kind: 'connecting' };
  #lost: string | undefined;
  #shortExpiry: string | undefined;
  /** The broker has refused it: whether it takes it now is to be known before anything is given up for it. */
  #wasRefused = false;
  #working: Promise<void> = Promise.resolve();

  /** Reads the entry of the session before its first connection, as messages come at once; undefined where `signal` aborts. */
  static async open(
    options: KeptSubscriptionOptions,
    signal: AbortSignal,
  ): Promise<KeptSubscription | undefined> {
    const { broker, ledger, wanted } = options;
    const subscription = new KeptSubscription(options);
    if (broker.cleanSession) return subscription;
    if (!(await ledger.load(wanted.clientId, signal))) return undefined;
    // Before CONNECT, which makes the session.
    if (ledger.entry(wanted.clientId) === undefined) {
      const isWritten = await ledger.put(subscription.#newEntry(), signal);
      if (!isWritten) return undefined;
    }
    return subscription;
  }

  private constructor(options: KeptSubscriptionOptions) {
    this.#options = options;
    const { wanted, ledger, broker } = options;
    const { rewrites } = profileOf(broker.profile);
    const { filter } = wanted.subscription;
    const earlier = () => {
      const entry = ledger.entry(wanted.clientId);
      if (entry === undefined) return [];
      return [...entry.subscriptions.map((known) => known.filter), ...entry.formerFilters];
    };
    this.ownerOf = topicOwners(filter, earlier, rewrites);
  }

  /** No session is kept: nothing of it outlives a connection. */
  get #isClean(): boolean {
    return this.#options.broker.cleanSession;
  }

  get state(): SessionState {
    const { failure } = this.#options.ledger;
    if (this.#state.kind === 'connecting' && failure !== undefined)
      return { kind: 'connecting', reason: `the session ledger cannot be written: ${failure}` };
    return this.#state;
  }

  get warnings(): readonly string[] {
    return [this.#lost, this.#shortExpiry].filter((line) => line !== undefined);
  }

  connected(link: Link): void {
    const gone = new AbortController();
    void link.closed.then(() => gone.abort());
    const { ledger, wanted } = this.#options;
    const known = ledger.entry(wanted.clientId)?.subscriptions ?? [];
    // A resumed session with its subscription gets messages at once; what is sent now only makes sure of it.
    const isSubscribed = known.some((each) => isGrantedAs(each, wanted.subscription));
    this.#state = { kind: link.sessionPresent && isSubscribed ? 'active' : 'connecting' };
    this.#checkExpiry(link);
    // One at a time, so that an entry of an earlier connection is never written over that of a later one.
    this.#working = this.#working.then(() => this.#equalize(link, gone.signal));
  }

  /** Resolves when nothing more is written, once the connection is gone. */
  ended(): Promise<void> {
    return this.#working;
  }

  async #equalize(link: Link, gone: AbortSignal): Promise<void> {
    const { ledger, wanted, log } = this.#options;
    const { clientId, subscription } = wanted;
    await this.#untilPredecessorsGone(gone);
    if (gone.aborted) return;
    const entry = this.#entryAfter(link);
    const { subscribe: asked, unsubscribe: unwanted } = planSubscriptions(
      entry.subscriptions,
      subscription,
      link,
    );
    // Before SUBSCRIBE and UNSUBSCRIBE: a bridge that starts after a kill has to know of them.
    if (!(await this.#write(prepared(entry, subscription, unwanted), gone))) return;
    const leave = async () =>
      unwanted.length > 0 && (await unsubscribe(link, unwanted.map(filterText)));
    const subscribing = asked && subscribe(link, filterText(asked), asked.qos);
    // Both in one write: a gap between them would lose messages, and while both last messages may come twice.
    let leaving = this.#wasRefused ? undefined : leave();
    const outcome = await subscribing;
    if (outcome?.kind === 'disconnected' || gone.aborted) return;
    if (outcome?.kind === 'refused') {
      this.#refused(outcome.reason);
      // What the session had is better than nothing: the config may be taken back.
      if (leaving !== undefined)
        for (const each of unwanted) await subscribe(link, filterText(each), each.qos);
      await pause(resubscribeMs, gone, { ref: false });
      return this.#equalize(link, gone);
    }
    leaving ??= leave();
    this.#wasRefused = false;
    if (outcome !== undefined && outcome.qos < subscription.qos)
      log.warn(
        { filter: subscription.filter, grantedQoS: outcome.qos },
        'the broker granted a lower QoS: messages may be lost',
      );
    this.#state = { kind: 'active' };
    if (this.#isClean) return;
    let next = withSubscription(entry, subscription, 'granted');
    // One that makes room for this session follows at once: until it has, messages come twice.
    const isChanged = !isEqual(ledger.entry(clientId), next);
    ledger.announce(next);
    if (await leaving) {
      next = withoutSubscriptions(next, unwanted);
      log.info({ filters: unwanted.map(filterText) }, 'unsubscribed from former filters');
    }
    if (isChanged || unwanted.length > 0) await ledger.put(next, gone);
  }

  /** Whether the ledger says so now. */
  async #write(entry: SessionEntry, gone: AbortSignal): Promise<boolean> {
    const { ledger } = this.#options;
    if (this.#isClean || isEqual(ledger.entry(entry.clientId), entry)) return true;
    return ledger.put(entry, gone);
  }

  #refused(reason: string): void {
    const filter = filterText(this.#options.wanted.subscription);
    this.#state = { kind: 'subscription refused', reason };
    this.#wasRefused = true;
    this.#options.log.error(
      { condition: 'disconnected', filter, reason },
      'the broker refused the subscription',
    );
  }

  async #untilPredecessorsGone(gone: AbortSignal): Promise<void> {
    const { ledger, wanted, log } = this.#options;
    if (this.#isClean) return;
    const over = AbortSignal.any([gone, AbortSignal.timeout(predecessorMs)]);
    for (let told = false; !over.aborted; told = true) {
      const waiting = ledger.waitsFor(wanted);
      if (waiting.length === 0) return;
      const reason = `waiting until ${waiting.join(', ')} no longer gets the same messages`;
      this.#state = { kind: 'connecting', reason };
      if (!told) log.info({ waiting }, 'an earlier session gets the same messages: waiting for it');
      await ledger.untilChanged(over);
    }
  }

  /** The entry as it is right for this connection. */
  #entryAfter({ sessionPresent }: Link): SessionEntry {
    const { ledger, wanted, log, onSessionLost } = this.#options;
    const { clientId } = wanted;
    const known = this.#isClean ? undefined : ledger.entry(clientId);
    const entry = this.#newEntry();
    if (sessionPresent && known !== undefined) {
      entry.subscriptions = known.subscriptions;
      entry.formerFilters = known.formerFilters;
    }
    if (!sessionPresent && known?.subscriptions.some(({ state }) => state === 'granted')) {
      const at = new Date().toISOString();
      this.#lost = `${at}: the broker no longer had the session ${clientId}; what it kept for it is lost`;
      log.warn(
        { condition: 'session-lost', clientId },
        'the broker has lost the session, and what it kept for it',
      );
      onSessionLost();
    }
    return entry;
  }

  #newEntry(): SessionEntry {
    const { ledger, wanted } = this.#options;
    const { clientId, lease, route, target } = wanted;
    const { brokerHost } = ledger;
    return { clientId, lease, route, target, brokerHost, subscriptions: [], formerFilters: [] };
  }

  #checkExpiry({ protocolVersion, sessionExpirySeconds: given }: Link): void {
    const { broker, log, wanted } = this.#options;
    const asked = broker.sessionExpirySeconds;
    const isShorter =
      !this.#isClean && protocolVersion === 5 && given !== undefined && given < asked;
    const line = isShorter
      ? `the broker keeps the session ${wanted.clientId} for ${given} s, not for the ${asked} s that were asked for`
      : undefined;
    if (line !== undefined && line !== this.#shortExpiry)
      log.warn(
        { askedSeconds: asked, givenSeconds: given },
        'the broker shortens the session expiry',
      );
    this.#shortExpiry = line;
  }
}

/** The entry before anything is sent. What is granted stays so: to ask for it once more takes nothing away. */
function prepared(
  entry: SessionEntry,
  wanted: Subscription,
  unwanted: readonly Subscription[],
): SessionEntry {
  const doubtful = withDoubtful(entry, unwanted);
  return entry.subscriptions.some((known) => isGrantedAs(known, wanted))
    ? doubtful
    : withSubscription(doubtful, wanted, 'asked');
}

const isEqual = (a: SessionEntry | undefined, b: SessionEntry) =>
  JSON.stringify(a) === JSON.stringify(b);
