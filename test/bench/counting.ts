// The counting end of a measurement, in a process of its own: told what to expect, it says when the last message came.
import { nowMicros } from './payload.ts';

/** From the runner: count from zero, until so many have come. */
export interface Expectation {
  readonly messages: number;
  readonly latencyMs: number;
  /** Take the time from publish to stored. */
  readonly sampling: boolean;
  /** Count each message once, however often it comes. */
  readonly distinct?: boolean;
  /** Say so when so many have come. */
  readonly tellAt?: number;
  /** So long without a message, and the rest will not come; five seconds by default. */
  readonly silenceMs?: number;
  /** From the first request on, the handler answers 503 for so long, and stores nothing. */
  readonly awayMs?: number;
}

export type CountingEvent =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'expecting' }
  | { readonly kind: 'reached' }
  | {
      readonly kind: 'last';
      /** Fewer than expected if some never came: a subject that acknowledges on receipt may lose them. */
      readonly messages: number;
      /** When the last message came. */
      readonly lastMicros: number;
      /** From publish to stored, of a sample. */
      readonly latenciesMicros: readonly number[];
    };

const usualSilenceMs = 5000;

export interface Counting {
  settings(): Expectation;
  /** Whether the handler is away now. */
  isAway(): boolean;
  received(count: number): void;
  stored(count: number, latenciesMicros: readonly number[]): void;
}

export function startCounting(): Counting {
  let expectation: Expectation = { messages: 0, latencyMs: 0, sampling: false };
  let received = 0;
  let stored = 0;
  let lastMicros = 0;
  let latencies: number[] = [];
  let silence: NodeJS.Timeout | undefined;
  let awayUntilMicros: number | undefined;
  const say = (event: CountingEvent) => process.send?.(event);

  process.on('message', (message: Expectation) => {
    expectation = message;
    received = 0;
    stored = 0;
    latencies = [];
    awayUntilMicros = undefined;
    clearInterval(silence);
    say({ kind: 'expecting' });
  });
  process.on('disconnect', () => process.exit(0));

  function finish(): void {
    clearInterval(silence);
    say({
      kind: 'last',
      messages: stored,
      lastMicros,
      latenciesMicros: latencies,
    });
  }

  return {
    settings: () => expectation,
    isAway() {
      const { awayMs = 0 } = expectation;
      awayUntilMicros ??= nowMicros() + awayMs * 1000;
      return nowMicros() < awayUntilMicros;
    },
    received(count) {
      if (count === 0) return;
      lastMicros = nowMicros();
      const { silenceMs = usualSilenceMs } = expectation;
      if (received === 0) {
        silence = setInterval(() => {
          if (nowMicros() - lastMicros > silenceMs * 1000) finish();
        }, 500);
      }
      received += count;
    },
    stored(count, latenciesMicros) {
      const before = stored;
      stored += count;
      const { tellAt } = expectation;
      if (tellAt !== undefined && before < tellAt && stored >= tellAt) say({ kind: 'reached' });
      for (const latency of latenciesMicros) latencies.push(latency);
      if (before < expectation.messages && stored >= expectation.messages) finish();
    },
  };
}
