// The time of day that messages are stamped with: the system's, checked against the Date of answers that can be trusted.
import type { Logger } from 'pino';

/** A difference up to here is nobody's fault: answers take their time, and a Date has whole seconds. */
export const toleratedMs = 60_000;

export interface WallClockOptions {
  /** The system's clock, in ms since 1970. */
  readonly system?: (() => number) | undefined;
  readonly log: Logger;
}

/**
 * A clock that differs from the Date of our ingest's or DynamoDB's answers by more than a minute is a warning and a
 * metric. Before the first message the time is corrected by it. Later it is not: that would be one more jump in the
 * order of messages. The correction ends when the system's clock is right.
 */
export class WallClock {
  readonly #system: () => number;
  readonly #log: Logger;
  #correctionMs = 0;
  #errorMs = 0;
  #isInUse = false;
  #isChecked = false;

  constructor({ system = Date.now, log }: WallClockOptions) {
    this.#system = system;
    this.#log = log;
  }

  /** Time in ms since 1970, for a message: from the first on, the time is not corrected any more. */
  readonly stampMs = (): number => {
    this.#isInUse = true;
    return this.#system() + this.#correctionMs;
  };

  /** Time in ms since 1970. */
  readonly nowMs = (): number => this.#system() + this.#correctionMs;

  /** How far the system's clock is ahead of what others say, below 0 behind; 0 while they agree. */
  get errorMs(): number {
    return this.#errorMs;
  }

  /** Whether an answer has said what time it is. */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** To be given to {@link observe} with the answer. */
  readonly systemMs = (): number => this.#system();

  /** An answer came with this Date, to a request that was sent at `sentMs` by {@link systemMs}. */
  observe(date: string | undefined, sentMs: number): void {
    const dateMs = Date.parse(date ?? '');
    if (Number.isNaN(dateMs)) return;
    this.#isChecked = true;
    const nowMs = this.#system();
    // Between request and answer, as this clock has it: a machine that slept meanwhile is not wrong.
    const differenceMs =
      dateMs < sentMs - toleratedMs
        ? sentMs - dateMs
        : dateMs > nowMs + toleratedMs
          ? nowMs - dateMs
          : 0;
    this.#tell(differenceMs);
    this.#errorMs = differenceMs;
    if (differenceMs === 0) this.#correctionMs = 0;
    else if (!this.#isInUse) this.#correctionMs = -differenceMs;
  }

  #tell(errorMs: number): void {
    const wasRight = this.#errorMs === 0;
    if (errorMs !== 0 && wasRight)
      this.#log.warn(
        { aheadSeconds: Math.round(errorMs / 1000), isCorrected: !this.#isInUse },
        'the clock of this machine is wrong, as answers of our own services say: set it by NTP',
      );
    if (errorMs === 0 && !wasRight) this.#log.info('the clock of this machine is right again');
  }
}
