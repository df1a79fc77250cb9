// The receipt clock of one session over its holders: goes on behind the stamps of the last one, keeps its own for the
// next one, and says where the order by time is broken.
import type { Logger } from 'pino';
import type { WallClock } from '../base/wall-clock.ts';
import { type ClockStep, type KeptStamps, ReceiptClock } from './receipt-clock.ts';

/** Where stamps outlive the process, by the names of sessions' leases. */
export interface StampStore {
  /** Undefined where there are none. Rejects where they cannot be read. */
  read(name: string): Promise<KeptStamps | undefined>;
  write(name: string, stamps: KeptStamps): Promise<void>;
}

export interface SessionClocksOptions {
  readonly store: StampStore;
  readonly wallClock: WallClock;
  readonly log: Logger;
}

interface SessionClockOptions extends SessionClocksOptions {
  readonly name: string;
}

/** How often it is looked whether stamps are to be kept. */
const lookEveryMs = 1000;
/** Time for reading the last holder's stamps, and for keeping the last of our own. */
const storeMs = 5000;

export class SessionClock {
  readonly receiptClock: ReceiptClock;
  readonly #options: SessionClockOptions;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** Of one failure after the other, the first is logged. */
  #isFailing = false;
  #lastStep: ClockStep | undefined;

  constructor(options: SessionClockOptions) {
    this.#options = options;
    this.receiptClock = new ReceiptClock(options.wallClock.stampMs, (step) => this.#onStep(step));
  }

  /** The last time that the clock was set back by more than a minute, since this process started. */
  get lastStep(): ClockStep | undefined {
    return this.#lastStep;
  }

  /** To be called by who has just become the holder, before the first message. */
  async resume(): Promise<void> {
    const { store, name, wallClock, log } = this.#options;
    try {
      const kept = await inTime(store.read(name));
      if (kept !== undefined) this.receiptClock.resume(kept, wallClock.nowMs());
    } catch (error) {
      log.warn(
        { reason: String(error) },
        'the last times of receipt cannot be read: where the clock is behind them, the order by time is broken',
      );
    }
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      if (this.receiptClock.isKeepingDue) void this.#keep(false);
    }, lookEveryMs).unref();
  }

  /** The session is held no longer, and may be another's already. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Keeps the very last stamp, before the session is given to another holder. */
  async end(): Promise<void> {
    this.stop();
    await inTime(this.#keep(true)).catch(() => {});
  }

  /** One write at a time. Never rejects. */
  #keep(isFinal: boolean): Promise<void> {
    const { store, name, log } = this.#options;
    const kept = this.receiptClock.kept(isFinal);
    if (kept === undefined) return this.#writing;
    this.#writing = this.#writing
      .then(() => store.write(name, kept))
      .then(
        () => {
          this.#isFailing = false;
        },
        (error) => {
          if (!this.#isFailing)
            log.warn({ reason: String(error) }, 'the last time of receipt could not be kept');
          this.#isFailing = true;
        },
      );
    return this.#writing;
  }

  #onStep(step: ClockStep): void {
    this.#lastStep = step;
    const { brokenUntil, backMs } = step;
    this.#options.log.warn(
      { backSeconds: Math.round(backMs / 1000), brokenUntil },
      'the clock was set back: up to this time, messages are out of order by time',
    );
  }
}

/** The clocks of all sessions, by the names of their leases. */
export class SessionClocks {
  readonly #options: SessionClocksOptions;
  readonly #clocks = new Map<string, SessionClock>();

  constructor(options: SessionClocksOptions) {
    this.#options = options;
  }

  of(name: string): SessionClock {
    const known = this.#clocks.get(name);
    if (known !== undefined) return known;
    const log = this.#options.log.child({ session: name });
    const clock = new SessionClock({ ...this.#options, name, log });
    this.#clocks.set(name, clock);
    return clock;
  }
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${storeMs} ms`)), storeMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
