// Messages that the handler itself fails on, each alone in its request, where nothing else may come to prove it well: the
// rule of `failingMessage.aloneSeconds`. Pure.
//
// An outage must not become dead letters. So only answers count that the handler alone can make, and any other failure
// starts all waits again; between two successes at most one message is given up; and each further one waits twice as long.

export class LoneFailures<T> {
  readonly #aloneMs: number | undefined;
  /** Since when each has failed, by the clock of `failed`. */
  readonly #sinceMs = new Map<T, number>();
  #hasServed = true;
  #givenUp = 0;

  /** Without `aloneSeconds` no message is ever given up. */
  constructor(aloneSeconds: number | undefined) {
    this.#aloneMs = aloneSeconds === undefined ? undefined : aloneSeconds * 1000;
  }

  /** Of a request that failed with `run`; `isOwn` says that only the handler can have. Whether to give its message up. */
  failed(run: readonly T[], isOwn: boolean, nowMs: number): boolean {
    if (this.#aloneMs === undefined) return false;
    if (!isOwn) this.#sinceMs.clear();
    const [only] = run;
    if (!isOwn || only === undefined || run.length > 1) return false;
    const sinceMs = this.#sinceMs.get(only) ?? nowMs;
    this.#sinceMs.set(only, sinceMs);
    return this.#hasServed && nowMs - sinceMs >= this.#aloneMs * 2 ** this.#givenUp;
  }

  /** The handler took messages of `run`. */
  served(run: readonly T[]): void {
    this.#hasServed = true;
    if (this.#sinceMs.size > 0) for (const item of run) this.#sinceMs.delete(item);
  }

  /** It is a dead letter now. */
  gaveUp(item: T): void {
    this.#hasServed = false;
    this.#givenUp++;
    this.#sinceMs.delete(item);
  }
}
