// The times of receipt of one session: which stamp a message gets, whatever the system's clock does. Pure.

import * as z from 'zod';

const stamp = z.iso.datetime({ precision: 6 });

const keptStampsSchema = z.object({
  /** The last stamp when this was kept. */
  last: stamp,
  /** No later stamp has been given since: the next holder goes on behind it. After a clean stop the same as `last`. */
  reserved: stamp,
  /** While the order by time is broken: the latest stamp from before, see {@link ReceiptClock.receivedAfter}. */
  receivedAfter: stamp.optional(),
});

/** What is kept of a session's stamps for its next holder. */
export type KeptStamps = z.output<typeof keptStampsSchema>;

/** The stamps in a JSON text; undefined where it holds none. */
export function parseStamps(text: string): KeptStamps | undefined {
  try {
    return keptStampsSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The clock was set back so far that stamps follow it: messages from here on sort before some that came earlier. */
export interface ClockStep {
  /** The latest stamp from before it: up to there the order by time is broken. */
  readonly brokenUntil: string;
  /** How far the clock went back. */
  readonly backMs: number;
}

/** So far may the clock be behind the last stamp without breaking the order: stamps run ahead of it meanwhile. */
export const maxAheadMs = 60_000;
/** Stamps are reserved for so long at a time: after a kill it is not known how many of them were given. */
export const reserveMs = 10_000;
/** Of stamps that run ahead, whose microseconds count messages: a million of them. */
const reserveAheadMs = 1000;

/**
 * Stamps are RFC 3339 with microseconds, strictly increasing: the clock gives milliseconds, and the microseconds count
 * the messages within one. So sorting by time is sorting by arrival. A clock that is set back by up to a minute changes
 * nothing of that: stamps go on behind the last one until it has caught up. One that is set back further is followed,
 * and `receivedAfter` says of each message that the order is broken there.
 */
export class ReceiptClock {
  readonly #now: () => number;
  readonly #onStep: (step: ClockStep) => void;
  #lastMs = 0;
  #micros = 0;
  #prefix = '';
  #reservedMs = 0;
  #aheadLimitMs = maxAheadMs;
  #receivedAfter: string | undefined;
  #receivedAfterMs = 0;

  constructor(now: () => number = Date.now, onStep: (step: ClockStep) => void = () => {}) {
    this.#now = now;
    this.#onStep = onStep;
  }

  /** The next stamp. */
  stamp(): string {
    const ms = this.#now();
    if (ms > this.#lastMs) this.#follow(ms);
    else if (this.#lastMs - ms > this.#aheadLimitMs) {
      const [before, backMs] = [this.#text(), this.#lastMs - ms];
      this.#follow(ms);
      this.#breakOrder(before, backMs);
    } else if (this.#micros === 999) {
      this.#begin(this.#lastMs + 1);
      // It is not the clock that went further back.
      this.#aheadLimitMs++;
    } else this.#micros++;
    return this.#text();
  }

  /**
   * Mostly undefined. After the clock was set back: the latest stamp from before, until stamps are later than it.
   * What was received earlier can have stamps up to it.
   */
  get receivedAfter(): string | undefined {
    return this.#receivedAfter;
  }

  /** More stamps have been given, or will be soon, than are reserved: it is time to keep {@link kept}. */
  get isKeepingDue(): boolean {
    return this.#lastMs > this.#reservedMs - reserveMs / 2;
  }

  /** Goes on behind the stamps of the session's last holder; or breaks the order, where they are far ahead. */
  resume({ last, reserved, receivedAfter }: KeptStamps, nowMs: number): void {
    if (receivedAfter !== undefined && Date.parse(receivedAfter) >= nowMs)
      this.#setReceivedAfter(receivedAfter);
    const reservedMs = Date.parse(reserved);
    if (reservedMs < Math.max(nowMs, this.#lastMs)) return;
    const backMs = Date.parse(last) - nowMs;
    // The last holder's stamps may have run ahead by what its messages took, too: that is no clock that went back.
    if (backMs > maxAheadMs + reserveAheadMs) return this.#breakOrder(reserved, backMs);
    this.#begin(reservedMs);
    this.#micros = microsOf(reserved);
    // What was reserved and not used comes on top of what the clock was set back by.
    this.#aheadLimitMs = Math.max(maxAheadMs, reservedMs - nowMs);
  }

  /** What to keep for the next holder; undefined before the first stamp. `isFinal`: this one gives no more. */
  kept(isFinal: boolean): KeptStamps | undefined {
    if (this.#lastMs === 0) return undefined;
    const last = this.#text();
    const receivedAfter = this.#receivedAfter;
    const rest = receivedAfter !== undefined && { receivedAfter };
    if (isFinal) return { last, reserved: last, ...rest };
    this.#reservedMs = Math.max(this.#now() + reserveMs, this.#lastMs + reserveAheadMs);
    return { last, reserved: prefixOf(this.#reservedMs) + microsText(0), ...rest };
  }

  #follow(ms: number): void {
    this.#begin(ms);
    this.#aheadLimitMs = maxAheadMs;
    if (ms > this.#receivedAfterMs) this.#receivedAfter = undefined;
  }

  #begin(ms: number): void {
    this.#lastMs = ms;
    this.#micros = 0;
    this.#prefix = prefixOf(ms);
  }

  #breakOrder(before: string, backMs: number): void {
    this.#reservedMs = 0;
    const earlier = this.#receivedAfter;
    // Where the order is broken already: later, so that what follows each step can be told apart.
    this.#setReceivedAfter(
      earlier !== undefined && earlier >= before ? successorOf(earlier) : before,
    );
    this.#onStep({ brokenUntil: before, backMs });
  }

  #setReceivedAfter(stamp: string): void {
    this.#receivedAfter = stamp;
    this.#receivedAfterMs = Date.parse(stamp);
  }

  #text(): string {
    return this.#prefix + microsText(this.#micros);
  }
}

/** The stamp a microsecond later. */
function successorOf(stamp: string): string {
  const micros = microsOf(stamp) + 1;
  const ms = Date.parse(stamp);
  return micros === 1000 ? prefixOf(ms + 1) + microsText(0) : prefixOf(ms) + microsText(micros);
}

function microsOf(stamp: string): number {
  return Number(stamp.slice(23, 26));
}

/** Of each microsecond of a millisecond; every message has one. */
const microsTexts = Array.from({ length: 1000 }, (_, micros) => `${micros}Z`.padStart(4, '0'));

function microsText(micros: number): string {
  return microsTexts[micros] as string;
}

function prefixOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1);
}
