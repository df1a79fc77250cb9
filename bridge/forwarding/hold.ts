// How long a route leaves a handler alone that takes no messages: full jitter, or as long as the handler asks for.
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import type { RouteConfig } from '../config.ts';

export class Hold {
  readonly #retry: RouteConfig['retry'];
  #reason: string | undefined;
  #sinceMs = 0;
  #failedInARow = 0;
  #untilMs = 0;

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

  /** Milliseconds until the handler may be asked again. */
  get waitMs(): number {
    return Math.max(0, this.#untilMs - Date.now());
  }

  /** After a failure; `retryAfterMs` is what the handler asks for. */
  begin(reason: string, retryAfterMs: number | undefined): void {
    const nowMs = Date.now();
    const { baseMs, capMs, maxRetryAfterMs } = this.#retry;
    // Requests that were in flight together fail together: that is one failure, not several in a row.
    if (nowMs >= this.#untilMs || retryAfterMs !== undefined) {
      const forMs =
        retryAfterMs === undefined
          ? fullJitterMs(this.#failedInARow++, baseMs, capMs)
          : Math.min(retryAfterMs, maxRetryAfterMs);
      this.#untilMs = Math.max(this.#untilMs, nowMs + forMs);
    }
    if (this.#reason === undefined) this.#sinceMs = performance.now();
    this.#reason = reason;
  }

  /** After a success. Says whether there was a hold to end. */
  end(): boolean {
    const wasHeld = this.#reason !== undefined;
    this.#failedInARow = 0;
    this.#reason = undefined;
    return wasHeld;
  }
}
