// A topic that holds half of a route's window for 10 s: all others of the route wait behind it, as PUBACKs leave in
// the order of arrival [MQTT-4.6.0-2]. It is found by a look a second, so that it can be told with its cure.

/** What a route holds of messages that are not settled. */
export interface Held {
  readonly messages: number;
  readonly bytes: number;
}

export interface HeldByTopic extends Held {
  readonly topic: string;
}

export interface NoisyTopicOptions {
  /** Half of it is too much for one topic. */
  readonly window: Held;
  /** What is not settled, by topic. */
  readonly held: () => readonly HeldByTopic[];
  /** Messages that are not acknowledged, the settled ones behind others among them. */
  readonly unacknowledged: () => number;
  /** Whether the window is full, by whichever topics: then half of what is held is enough. */
  readonly isFull: () => boolean;
  /** Whether messages flow: while the handler is away, it says nothing who has sent most. */
  readonly isFlowing: () => boolean;
  /** When a topic has become noisy, and once a minute while it is. */
  readonly onNoisy: (topic: HeldByTopic) => void;
}

const lookEveryMs = 1000;
const noisyAfterMs = 10_000;
const tellEveryMs = 60_000;

export class NoisyTopic {
  readonly #options: NoisyTopicOptions;
  #timer: NodeJS.Timeout | undefined;
  #largest: HeldByTopic | undefined;
  #sinceMs = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: NoisyTopicOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(performance.now()), lookEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The topic that has been too large for long, with what it holds. */
  current(nowMs = performance.now()): HeldByTopic | undefined {
    return nowMs - this.#sinceMs >= noisyAfterMs ? this.#largest : undefined;
  }

  look(nowMs: number): void {
    const largest = this.#options.isFlowing() ? this.#tooLarge() : undefined;
    if (largest?.topic !== this.#largest?.topic) {
      this.#sinceMs = nowMs;
      this.#toldMs = Number.NEGATIVE_INFINITY;
    }
    this.#largest = largest;
    const noisy = this.current(nowMs);
    if (noisy === undefined || nowMs - this.#toldMs < tellEveryMs) return;
    this.#toldMs = nowMs;
    this.#options.onNoisy(noisy);
  }

  #tooLarge(): HeldByTopic | undefined {
    const { window, isFull, unacknowledged } = this.#options;
    const held = this.#options.held();
    const sum = { messages: 0, bytes: 0 };
    for (const { messages, bytes } of held) {
      sum.messages += messages;
      sum.bytes += bytes;
    }
    // A topic that is alone is in nobody's way; the messages of others may all be settled, and wait behind it.
    if (held.length < 2 && unacknowledged() <= sum.messages) return undefined;
    const whole = isFull() ? sum : window;
    return held.find(
      ({ messages, bytes }) => messages * 2 >= whole.messages || bytes * 2 >= whole.bytes,
    );
  }
}
