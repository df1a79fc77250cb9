// Lanes and batches: keeps each topic in order, and fills requests with messages of many topics.
import { type Batchable, type Lane, ReadyLanes } from './lane.ts';
import type { HeldByTopic } from './noisy-topic.ts';
import { TopicLanes } from './topic-lanes.ts';

/** What sending a batch left to do; what is not in `retry` is finished. */
export interface Unfinished<T> {
  /** To be sent again, in the order they were sent. */
  readonly retry: readonly T[];
  /** Not before so many milliseconds from now. */
  readonly afterMs: number;
}

export interface BatcherOptions<T> {
  readonly maxBatch: number;
  readonly maxBatchBytes: number;
  /** How long a message waits for others, until a batch is full: asked for each batch, in milliseconds. */
  readonly lingerMs: () => number;
  /** Whether no others can come until some of these are settled: then none waits for them. */
  readonly isStalled: () => boolean;
  /** Requests that may be in flight now. */
  readonly limit: () => number;
  /** Sends one batch. Never rejects. */
  readonly send: (batch: readonly T[]) => Promise<Unfinished<T>>;
}

/** Of a request, for one topic, while others are ready. In flight it has one request at most. */
export const topicShare = 1 / 4;

/**
 * What lanes without messages may take: about 10,000 of topics with 30 characters. And half a request at most, as a route's share of
 * the memory is counted in those.
 */
const maxIdleLaneBytes = 2 * 1024 * 1024;

/** A timer fires up to so much too early. */
const timerMs = 1;

interface Later<T extends Batchable> {
  readonly lanes: readonly Lane<T>[];
  readonly timer: NodeJS.Timeout;
}

export class Batcher<T extends Batchable> {
  readonly #options: BatcherOptions<T>;
  readonly #lanes: TopicLanes<T>;
  readonly #ready = new ReadyLanes<T>();
  #readyCount = 0;
  #readyBytes = 0;
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** Until then nothing is sent; by the clock that nobody sets. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #lingering = true;
  #wakeScheduled = false;
  #onIdle: (() => void)[] = [];
  /** Lanes whose messages are to be sent again later. */
  readonly #later = new Set<Later<T>>();

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
    this.#lanes = new TopicLanes(Math.min(maxIdleLaneBytes, options.maxBatchBytes / 2));
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** What waits or is in flight, by topic. */
  held(): HeldByTopic[] {
    return this.#lanes.busy().map((lane) => ({
      topic: lane.topic,
      messages: lane.size + lane.messagesInFlight,
      bytes: lane.bytes + lane.bytesInFlight,
    }));
  }

  add(item: T): void {
    const lane = this.#lanes.occupy(item.topic);
    lane.add(item);
    if (lane.inFlight) return;
    if (lane.size === 1) this.#ready.add(lane);
    this.#readyCount++;
    this.#readyBytes += item.bytes;
    if (this.#wakeScheduled) return;
    if (this.#isFull()) this.#wakeSoon();
    else if (this.#timer === undefined) {
      const waitMs = this.#lingering ? this.#options.lingerMs() : 0;
      // The shortest timer takes a millisecond.
      if (waitMs === 0) this.#wakeSoon();
      else this.#wakeAfter(waitMs);
    }
  }

  /** To be called when `isStalled` may have become true: what waits for others is sent. */
  stalled(): void {
    if (this.#readyCount > 0) this.#wakeSoon();
  }

  /** Sends nothing for so long. */
  hold(forMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, performance.now() + forMs);
  }

  /** Sends at once what waits for another try. */
  retryNow(): void {
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    for (const later of [...this.#later]) this.#again(later);
    this.#wakeSoon();
  }

  /** Sends what is there without lingering, and resolves once nothing waits or is in flight. */
  drain(): Promise<void> {
    this.#lingering = false;
    this.#wakeSoon();
    return new Promise((resolve) => {
      if (this.#lanes.busyCount === 0) resolve();
      else this.#onIdle.push(resolve);
    });
  }

  /** Gives up what is not in flight. */
  discard(): void {
    clearTimeout(this.#timer);
    this.#heldUntilMs = Number.POSITIVE_INFINITY;
  }

  /** Many messages arrive in one turn of the event loop: one look at the batch is enough for all of them. */
  #wakeSoon(): void {
    if (this.#wakeScheduled) return;
    this.#wakeScheduled = true;
    setImmediate(this.#wake);
  }

  readonly #wake = (): void => {
    this.#wakeScheduled = false;
    this.#pump();
  };

  #wakeAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timerAtMs = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#pump();
    }, ms);
  }

  /** Sends as many batches as are due and the limit allows. */
  #pump(): void {
    const heldMs = this.#heldUntilMs - performance.now();
    if (heldMs > 0) {
      if (this.#timer === undefined && Number.isFinite(heldMs)) this.#wakeAfter(heldMs);
      return;
    }
    while (this.#readyCount > 0 && this.#inFlight < this.#options.limit()) {
      const waitMs = this.#isFull() ? 0 : this.#dueInMs();
      if (waitMs > 0) {
        if (performance.now() + waitMs < this.#timerAtMs) this.#wakeAfter(waitMs);
        return;
      }
      this.#send(this.#take());
    }
  }

  #isFull(): boolean {
    const { maxBatch, maxBatchBytes } = this.#options;
    return this.#readyCount >= maxBatch || this.#readyBytes >= maxBatchBytes;
  }

  /** How long a batch that is not full waits for others. */
  #dueInMs(): number {
    const { lingerMs, isStalled } = this.#options;
    if (!this.#lingering || isStalled()) return 0;
    const sinceMs = this.#ready.oldest?.first?.arrivedMs ?? 0;
    const waitMs = sinceMs + lingerMs() - performance.now();
    return waitMs < timerMs ? 0 : Math.ceil(waitMs);
  }

  /**
   * Takes several of a lane, so that a batch blocks as few topics as it can for the others in flight; those lanes first
   * whose first message has waited longest, because the PUBACKs of all that came later wait for it. While others
   * are ready, a topic gets a share of the request and no more.
   */
  #take(): { batch: T[]; lanes: Lane<T>[] } {
    const { maxBatch, maxBatchBytes, limit } = this.#options;
    // So many of each topic fill all requests. More of one would leave older messages of others behind, and PUBACKs with them.
    const evenShare = Math.ceil((maxBatch * limit()) / this.#lanes.busyCount);
    const maxOfLane = Math.min(maxBatch * topicShare, evenShare);
    const batch: T[] = [];
    const lanes: Lane<T>[] = [];
    const shared: Lane<T>[] = [];
    let bytes = 0;
    const fits = (item: T | undefined) =>
      item !== undefined &&
      (batch.length === 0 || (batch.length < maxBatch && bytes + item.bytes <= maxBatchBytes));
    for (;;) {
      const lane = this.#ready.oldest;
      if (lane === undefined || !fits(lane.first)) break;
      this.#ready.removeOldest();
      lane.inFlight = true;
      lanes.push(lane);
      this.#readyCount -= lane.size;
      this.#readyBytes -= lane.bytes;
      while (
        fits(lane.first) &&
        lane.messagesInFlight < maxOfLane &&
        lane.bytesInFlight < maxBatchBytes * topicShare
      ) {
        const item = lane.take() as T;
        batch.push(item);
        bytes += item.bytes;
      }
      if (lane.size > 0) shared.push(lane);
    }
    // What nobody else needs.
    for (const lane of shared) {
      while (fits(lane.first)) {
        const item = lane.take() as T;
        batch.push(item);
        bytes += item.bytes;
      }
    }
    return { batch, lanes };
  }

  async #send({ batch, lanes }: { batch: T[]; lanes: Lane<T>[] }): Promise<void> {
    this.#inFlight++;
    const { retry, afterMs } = await this.#options.send(batch);
    this.#inFlight--;
    const again = retry.length === 0 ? undefined : groupByTopic(retry);
    const waiting: Lane<T>[] = [];
    // By index: in an async function V8 makes an object for each step of for…of.
    for (let index = 0; index < lanes.length; index++) {
      const lane = lanes[index] as Lane<T>;
      lane.landed();
      const repeated = again?.get(lane.topic);
      if (repeated !== undefined) {
        lane.putBack(repeated);
        if (afterMs > 0) {
          waiting.push(lane);
          continue;
        }
      }
      this.#release(lane);
    }
    if (waiting.length > 0) {
      const later: Later<T> = {
        lanes: waiting,
        timer: setTimeout(() => this.#again(later), afterMs),
      };
      this.#later.add(later);
    }
    if (this.#lanes.busyCount === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    this.#pump();
  }

  #again(later: Later<T>): void {
    clearTimeout(later.timer);
    this.#later.delete(later);
    for (const lane of later.lanes) this.#release(lane);
    this.#pump();
  }

  #release(lane: Lane<T>): void {
    lane.inFlight = false;
    if (lane.size === 0) {
      this.#lanes.vacate(lane);
    } else {
      this.#ready.add(lane);
      this.#readyCount += lane.size;
      this.#readyBytes += lane.bytes;
    }
  }
}

function groupByTopic<T extends Batchable>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.topic);
    if (group === undefined) groups.set(item.topic, [item]);
    else group.push(item);
  }
  return groups;
}
