// One session that the config no longer wants, from when it is taken over until it has ended.
import type { Logger } from 'pino';
import { untilAborted } from '../base/aborted.ts';
import type { Broker } from '../connection/access.ts';
import type { Member, MemberOptions, MemberState } from '../session/member.ts';
import type { SessionLedger } from './ledger.ts';
import { LeftSubscription } from './left-subscription.ts';

/** How a session is started by the route that delivers what it holds. */
export interface TakenOver extends Pick<MemberOptions, 'clientId' | 'openSubscriber'> {
  readonly lease: string;
}

/** Who gets what a session holds: a route, or the dead letters. */
export interface Heir {
  /** Its topic filter; undefined where it takes whatever comes. */
  readonly filter: string | undefined;
  drainSession(session: TakenOver): Member;
}

export interface LeftSessionOptions {
  readonly ledger: SessionLedger;
  readonly clientId: string;
  readonly lease: string;
  readonly heir: Heir;
  readonly broker: Broker;
  readonly log: Logger;
}

export class LeftSession {
  readonly #member: Member;
  #subscription: LeftSubscription | undefined;
  #isEndedElsewhere = false;

  constructor({ ledger, clientId, lease, heir, broker, log }: LeftSessionOptions) {
    this.#member = heir.drainSession({
      clientId,
      lease,
      openSubscriber: async (signal) => {
        if (!(await ledger.load(clientId, signal))) return undefined;
        if (ledger.entry(clientId) === undefined) {
          this.#isEndedElsewhere = true;
          // Until it is closed.
          await untilAborted(signal);
          return undefined;
        }
        const { filter } = heir;
        this.#subscription = new LeftSubscription({ ledger, clientId, filter, broker, log });
        return this.#subscription;
      },
    });
  }

  get state(): MemberState {
    return this.#member.state();
  }

  get unsettled(): number {
    return this.#member.unsettled();
  }

  /** Another bridge has ended it. */
  get isEndedElsewhere(): boolean {
    return this.#isEndedElsewhere;
  }

  /** The broker knows nothing of it: nothing is lost by ending it at once. */
  get isGone(): boolean {
    return this.#subscription?.isGone ?? false;
  }

  /** Whether it holds nothing any more. */
  async isDrained(quietMs: number): Promise<boolean> {
    return (await this.#subscription?.isDrained(() => this.#member.unsettled(), quietMs)) ?? false;
  }

  /** Ends it at the broker with all that it holds; whether that was done. Where another bridge has it, it is not. */
  async end(): Promise<boolean> {
    this.#subscription?.endWhenClosed();
    await this.#member.close();
    return this.#subscription?.hasEnded ?? false;
  }

  close(): Promise<void> {
    return this.#member.close();
  }
}
