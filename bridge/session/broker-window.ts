// How many unacknowledged messages a broker sends: MQTT 3.1.1 does not say, so it is learned from where it stops. Pure.

/** So many lingers it holds, before it is tried again whether the broker sends more. */
const lingersUntilDoubt = 50;

/**
 * A broker with a backlog fills its window as soon as PUBACKs make room, and then is silent. Where that comes twice in
 * a row with the same number of unacknowledged messages, no message needs to wait for others at that number. One more
 * than that disproves it.
 */
export class BrokerWindow {
  readonly #lingerMs: number;
  #size = 0;
  #timesSeen = 0;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #lastReleaseMs: number;

  constructor(lingerMs: number, nowMs: number) {
    this.#lingerMs = lingerMs;
    this.#lastReleaseMs = nowMs;
  }

  /** PUBACKs leave; `unacknowledged` is from before, and the last PUBLISH came at `lastArrivalMs`. */
  released(unacknowledged: number, lastArrivalMs: number, nowMs: number): void {
    const halfMs = this.#lingerMs / 2;
    const isFilledSoon = lastArrivalMs - this.#lastReleaseMs <= halfMs;
    const isSilent = nowMs - lastArrivalMs >= halfMs;
    this.#lastReleaseMs = nowMs;
    if (isFilledSoon && isSilent) {
      this.#timesSeen = unacknowledged === this.#size ? this.#timesSeen + 1 : 1;
      this.#size = unacknowledged;
      if (this.#timesSeen > 1) this.#heldUntilMs = nowMs + lingersUntilDoubt * this.#lingerMs;
    } else if (nowMs >= this.#heldUntilMs) {
      this.#timesSeen = 0;
    }
  }

  /** Whether the broker sends no more before some of so many are acknowledged. */
  isFull(unacknowledged: number, nowMs: number): boolean {
    if (this.#timesSeen < 2 || unacknowledged < this.#size) return false;
    if (unacknowledged > this.#size) this.#timesSeen = 0;
    return unacknowledged === this.#size && nowMs < this.#heldUntilMs;
  }
}
