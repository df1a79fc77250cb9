// When a session leaves its broker because that drops what is not acknowledged in time, and when it comes back.
import { untilAborted } from '../base/aborted.ts';

export interface AbsenceOptions {
  /** The broker drops what a connected client has not acknowledged for so long. */
  readonly unacknowledgedMs: number;
  /** It ends a session that has had no connection for so long. */
  readonly sessionExpiryMs: number;
  /** When the oldest message came that is not acknowledged on this connection, by performance.now(). */
  readonly oldestMs: () => number | undefined;
  /** Ends the connection; the session stays at the broker, with what is not acknowledged. */
  readonly leave: () => void;
}

/**
 * A client that withholds a PUBACK for longer than the broker waits loses the message, and one that is away for longer
 * than the session lasts loses all of them. So it leaves well before the one, at three quarters of that time, and comes
 * back when its handler has taken something, and well before the other too. What it has left unacknowledged comes again.
 */
export class Absence {
  readonly #options: AbsenceOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Aborts when it is time to come back. Undefined while the session is not away. */
  #over: AbortController | undefined;

  constructor(options: AbsenceOptions) {
    this.#options = options;
  }

  get isAway(): boolean {
    return this.#over !== undefined;
  }

  /** A connection begins. */
  connected(): void {
    const { unacknowledgedMs, oldestMs, leave } = this.#options;
    const startedMs = performance.now();
    const stayMs = unacknowledgedMs * 0.75;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const oldest = oldestMs();
      // What came on an earlier connection has been sent again on this one.
      if (oldest === undefined || performance.now() - Math.max(oldest, startedMs) < stayMs) return;
      clearInterval(this.#timer);
      this.#over = new AbortController();
      leave();
    }, unacknowledgedMs / 60).unref();
  }

  /** The connection is gone. */
  disconnected(): void {
    clearInterval(this.#timer);
  }

  /** The handler has taken something. */
  settled(): void {
    this.#over?.abort();
  }

  /** Resolves when a connection may be made. */
  async untilOver(signal: AbortSignal): Promise<void> {
    const over = this.#over;
    if (over === undefined) return;
    const { unacknowledgedMs, sessionExpiryMs } = this.#options;
    const timer = setTimeout(() => over.abort(), Math.min(unacknowledgedMs, sessionExpiryMs) / 2);
    await untilAborted(over.signal, signal);
    clearTimeout(timer);
    this.#over = undefined;
  }
}
