// The subscriptions of a session that the config no longer wants: gives them up as soon as nothing is lost by it, says
// when nothing comes any more, and ends the session at the broker.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { Broker } from '../connection/access.ts';
import { connectOnce, disconnect } from '../connection/connection.ts';
import type { Link } from '../connection/link.ts';
import type { SessionState } from '../session/session-state.ts';
import { unsubscribe } from '../session/subscribe.ts';
import type { Subscriber, TopicOwner } from '../session/subscriber.ts';
import { filterText } from './entry.ts';
import type { SessionLedger } from './ledger.ts';
import { withDoubtful, withoutSubscriptions } from './plan.ts';
import { topicOwners } from './topics.ts';

export interface LeftSubscriptionOptions {
  readonly ledger: SessionLedger;
  readonly clientId: string;
  /** Of the route that delivers what the session holds; undefined where it becomes dead letters, whatever it is. */
  readonly filter: string | undefined;
  readonly broker: Broker;
  readonly log: Logger;
}

const retryMs = 30_000;

export class LeftSubscription implements Subscriber {
  readonly #options: LeftSubscriptionOptions;
  readonly #ownerOf: (topic: string) => TopicOwner;
  #link: Link | undefined;
  #working: Promise<void> = Promise.resolve();
  #lastMessageMs = performance.now();
  #isGone = false;
  #isToEnd = false;
  #hasEnded = false;

  /** The ledger has read the entry of the session. */
  constructor(options: LeftSubscriptionOptions) {
    this.#options = options;
    const { filter, broker } = options;
    const { rewrites } = profileOf(broker.profile);
    this.#ownerOf =
      filter === undefined ? () => 'own' : topicOwners(filter, () => this.#filters, rewrites);
  }

  readonly warnings = [];

  get state(): SessionState {
    return { kind: 'active' };
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The broker knows nothing of the session: there is nothing to wait for. */
  get isGone(): boolean {
    return this.#isGone;
  }

  ownerOf(topic: string): TopicOwner {
    this.#lastMessageMs = performance.now();
    return this.#ownerOf(topic);
  }

  connected(link: Link): void {
    this.#link = link;
    const gone = new AbortController();
    void link.closed.then(() => gone.abort());
    this.#isGone = !link.sessionPresent;
    if (link.sessionPresent)
      this.#working = this.#working.then(() => this.#leave(link, gone.signal));
  }

  /** Whether nothing came for so long, and nothing can be on its way; `unsettled` says what is not acknowledged. */
  async isDrained(unsettled: () => number, quietMs: number): Promise<boolean> {
    const { ledger, clientId } = this.#options;
    const entry = ledger.entry(clientId);
    if (this.#link?.client.connected !== true) return false;
    if (entry === undefined || entry.subscriptions.length > 0) return false;
    const isQuiet = () => unsettled() === 0 && performance.now() - this.#lastMessageMs >= quietMs;
    // Its answer comes behind all that the broker has sent: where reading is stopped, it does not come.
    return isQuiet() && (await unsubscribe(this.#link, this.#lastFilters)) && isQuiet();
  }

  /** What {@link ended} does once the connection is closed. */
  endWhenClosed(): void {
    this.#isToEnd = true;
  }

  async ended(): Promise<void> {
    await this.#working;
    if (!this.#isToEnd) return;
    const { ledger, broker, clientId, log } = this.#options;
    if (!(await endSession(broker, clientId, this.#link?.protocolVersion))) {
      log.warn({ clientId }, 'the session could not be ended: it is tried again');
      return;
    }
    this.#hasEnded = await ledger.remove(clientId, AbortSignal.timeout(retryMs));
    log.info({ clientId }, 'a session that the config no longer has is ended');
  }

  /** Gives up what it may, and waits until it may give up the rest. */
  async #leave(link: Link, gone: AbortSignal): Promise<void> {
    const { ledger, clientId, log } = this.#options;
    while (!gone.aborted) {
      const entry = ledger.entry(clientId);
      if (entry === undefined || entry.subscriptions.length === 0) return;
      const leaving = entry.subscriptions.filter((each) => ledger.mayLeave(entry, each));
      if (leaving.length > 0) {
        const filters = leaving.map(filterText);
        if (!(await ledger.update(clientId, (now) => withDoubtful(now, leaving), gone))) return;
        if (await unsubscribe(link, filters)) {
          log.info({ clientId, filters }, 'unsubscribed: the config no longer has the session');
          await ledger.update(clientId, (now) => withoutSubscriptions(now, leaving), gone);
        } else await pause(retryMs, gone, { ref: false });
        continue;
      }
      // Its successor may begin: this one follows at once.
      if (entry.isHandingOver !== true)
        await ledger.update(clientId, (now) => ({ ...now, isHandingOver: true }), gone);
      if (!entry.subscriptions.some((each) => ledger.mayLeave(entry, each)))
        await ledger.untilChanged(gone);
    }
  }

  get #filters(): readonly string[] {
    const entry = this.#options.ledger.entry(this.#options.clientId);
    if (entry === undefined) return [];
    return [...entry.subscriptions.map(({ filter }) => filter), ...entry.formerFilters];
  }

  /** Something to unsubscribe from that is not there. */
  get #lastFilters(): readonly string[] {
    return [this.#filters[0] ?? this.#options.clientId];
  }
}

/** Ends a session, whether the broker has it or not: one without expiry takes its place, and ends with its connection. */
export async function endSession(
  broker: Broker,
  clientId: string,
  protocolVersion: 4 | 5 = broker.protocolVersion,
): Promise<boolean> {
  await pause(profileOf(broker.profile).limits.minReconnectMs ?? 0);
  const outcome = await connectOnce({ broker, clientId, clean: true }, protocolVersion);
  if (outcome.kind !== 'connected') return false;
  await disconnect(outcome.link);
  return true;
}
