// The time that an exchange with a handler has; and its end before that, when the bridge stops.
import type { ClientRequest } from 'node:http';

/** From its start, and once more from when it has a connection. An AbortSignal says the same for 10 µs more a request. */
export class Deadline {
  readonly #timeoutMs: number;
  #outgoing: ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Why it was ended. */
  #error: Error | undefined;
  isTimedOut = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** What is ended. */
  set outgoing(outgoing: ClientRequest) {
    this.#outgoing = outgoing;
    if (this.#error !== undefined) outgoing.destroy(this.#error);
  }

  throwIfOver(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  readonly start = (): void => {
    this.#timer = setTimeout(() => {
      this.isTimedOut = true;
      this.end(new Error(`no answer within ${this.#timeoutMs} ms`));
    }, this.#timeoutMs);
  };

  stop(): void {
    clearTimeout(this.#timer);
  }

  end(error: Error): void {
    this.#error ??= error;
    this.#outgoing?.destroy(this.#error);
  }
}
