// How long a route leaves a handler alone that takes no messages: full jitter, and no less than the handler asks for.
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import type { RouteConfig } from '../config/config.ts';

export class Hold {
  readonly #retry: RouteConfig['retry'];
  #reason: string | undefined;
  #sinceMs = 0;
  #failedInARow = 0;
  #tries = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(retry: RouteConfig['retry']) {
    this.#retry = retry;
  }

  /** Why no messages go to the handler, or undefined while they do. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** How long it has been so; 0 while they do. */
  get forMs(): number {
    return this.#reason === undefined ? 0 : performance.now() - this.#sinceMs;
  }

  /** Tries that failed since it began, those in flight together as one. */
  get tries(): number {
    return this.#reason === undefined ? 0 : this.#tries;
  }

  /** Milliseconds until the handler may be asked again. */
  get waitMs(): number {
    return Math.max(0, this.#untilMs - performance.now());
  }

  /** After a failure; `retryAfterMs` is what the handler asks for. */
  begin(reason: string, retryAfterMs: number | undefined): void {
    const nowMs = performance.now();
    const { baseMs, capMs, maxRetryAfterMs } = this.#retry;
    // Requests that were in flight together fail together: that is one failure, not several in a row.
    if (nowMs >= this.#untilMs) {
      this.#untilMs = nowMs + fullJitterMs(this.#failedInARow++, baseMs, capMs);
      this.#tries++;
    }
    // A handler may ask for 0, or for a time that its clock or ours takes for past: that is no leave to hammer it.
    if (retryAfterMs !== undefined)
      this.#untilMs = Math.max(this.#untilMs, nowMs + Math.min(retryAfterMs, maxRetryAfterMs));
    if (this.#reason === undefined) this.#sinceMs = nowMs;
    this.#reason = reason;
  }

  /** The handler may be asked now; the waits start from the shortest again. */
  endWait(): void {
    this.#failedInARow = 0;
    this.#untilMs = Number.NEGATIVE_INFINITY;
  }

  /** After a success. Says whether there was a hold to end. */
  end(): boolean {
    const wasHeld = this.#reason !== undefined;
    this.#failedInARow = 0;
    this.#tries = 0;
    this.#reason = undefined;
    return wasHeld;
  }
}
