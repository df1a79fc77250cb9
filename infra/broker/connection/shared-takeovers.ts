// When members of a shared subscription get what others have not got: some time after one of them came or went, so that
// who is soon back has its own.
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Session } from '../session/session.ts';
import { giveShares, sharesOf } from '../session/shared-takeover.ts';

/** A client that is away for longer has lost its share of what waits. */
const awayMs = 5000;

export class SharedTakeovers {
  readonly #subscriptions: Subscriptions<Session>;
  readonly #onError: (error: unknown) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(subscriptions: Subscriptions<Session>, onError: (error: unknown) => void) {
    this.#subscriptions = subscriptions;
    this.#onError = onError;
  }

  /** A member has come or gone. */
  changed(session: Session): void {
    for (const share of sharesOf(session)) {
      if (this.#timers.has(share)) continue;
      const timer = setTimeout(() => {
        this.#timers.delete(share);
        this.#take(share).catch(this.#onError);
      }, awayMs).unref();
      this.#timers.set(share, timer);
    }
  }

  async #take(share: string): Promise<void> {
    const members = this.#subscriptions.group(share)?.members ?? [];
    if (!members.some(({ connected }) => connected)) return;
    for (const member of members)
      if (!member.connected) await giveShares(member, this.#subscriptions);
  }

  /** The session is about to end: its share goes to others at once [MQTT-4.8.2]. */
  async ending(session: Session): Promise<void> {
    if (session.subscriptions.size > 0) await giveShares(session, this.#subscriptions);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
