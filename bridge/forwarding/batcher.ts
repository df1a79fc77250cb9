// Lanes and batches: keeps each topic in order, and fills requests with messages of many topics.

/** What the batcher needs to know of a message. */
export interface Batchable {
  readonly topic: string;
  /** Bytes that it takes in a request. */
  readonly bytes: number;
  /** Grows with every message that arrives. */
  readonly arrival: number;
}

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
  /** How long the first message of a batch waits for others. */
  readonly lingerMs: number;
  /** Requests that may be in flight now. */
  readonly limit: () => number;
  /** Sends one batch. Never rejects. */
  readonly send: (batch: readonly T[]) => Promise<Unfinished<T>>;
}

/** The messages of one topic, in order. While some are in a request, the others wait. */
interface Lane<T> {
  readonly topic: string;
  queue: T[];
  inFlight: boolean;
}

export class Batcher<T extends Batchable> {
  readonly #options: BatcherOptions<T>;
  readonly #lanes = new Map<string, Lane<T>>();
  /** Lanes with messages and none in flight. */
  #ready: Lane<T>[] = [];
  #readyCount = 0;
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Until then nothing is sent; by the clock that nobody sets. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #lingering = true;
  #wakeScheduled = false;
  #onIdle: (() => void)[] = [];

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#inFlight;
  }

  add(item: T): void {
    const { topic } = item;
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = { topic, queue: [], inFlight: false };
      this.#lanes.set(topic, lane);
    }
    lane.queue.push(item);
    if (lane.inFlight) return;
    if (lane.queue.length === 1) this.#ready.push(lane);
    this.#readyCount++;
    if (this.#readyCount >= this.#options.maxBatch) this.#wakeSoon();
    else if (this.#timer === undefined)
      this.#wakeAfter(this.#lingering ? this.#options.lingerMs : 0);
  }

  /** Sends nothing for so long. */
  hold(forMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, performance.now() + forMs);
  }

  /** Sends what is there without lingering, and resolves once nothing waits or is in flight. */
  drain(): Promise<void> {
    this.#lingering = false;
    this.#wakeSoon();
    return new Promise((resolve) => {
      if (this.#lanes.size === 0) resolve();
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
    setImmediate(() => {
      this.#wakeScheduled = false;
      this.#pump(this.#readyCount >= this.#options.maxBatch || !this.#lingering);
    });
  }

  #wakeAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump(true);
    }, ms);
  }

  /** Sends as many batches as the limit allows; `partial` says that the last may be less than full. */
  #pump(partial: boolean): void {
    const heldMs = this.#heldUntilMs - performance.now();
    if (heldMs > 0) {
      if (this.#timer === undefined && Number.isFinite(heldMs)) this.#wakeAfter(heldMs);
      return;
    }
    while (this.#readyCount > 0 && this.#inFlight < this.#options.limit()) {
      if (!partial && this.#readyCount < this.#options.maxBatch) break;
      this.#send(this.#take());
    }
    // Whoever is left waits for others again; when all slots are taken, the next answer sends it on.
    if (
      this.#readyCount > 0 &&
      this.#timer === undefined &&
      this.#inFlight < this.#options.limit()
    ) {
      this.#wakeAfter(this.#options.lingerMs);
    }
  }

  /**
   * Takes whole lanes, so that a batch blocks as few topics as it can for the others in flight; those first
   * whose first message has waited longest, because the PUBACKs of all that came later wait for it.
   */
  #take(): { batch: T[]; lanes: Lane<T>[] } {
    const { maxBatch, maxBatchBytes } = this.#options;
    const batch: T[] = [];
    const lanes: Lane<T>[] = [];
    let bytes = 0;
    let taken = 0;
    this.#ready.sort((a, b) => arrivalOf(a) - arrivalOf(b));
    for (const lane of this.#ready) {
      let count = 0;
      for (const item of lane.queue) {
        if (batch.length > 0 && (batch.length === maxBatch || bytes + item.bytes > maxBatchBytes))
          break;
        batch.push(item);
        bytes += item.bytes;
        count++;
      }
      if (count === 0) break;
      taken++;
      lane.inFlight = true;
      lanes.push(lane);
      this.#readyCount -= lane.queue.length;
      lane.queue = lane.queue.slice(count);
    }
    this.#ready = this.#ready.slice(taken);
    return { batch, lanes };
  }

  async #send({ batch, lanes }: { batch: T[]; lanes: Lane<T>[] }): Promise<void> {
    this.#inFlight++;
    const { retry, afterMs } = await this.#options.send(batch);
    this.#inFlight--;
    const again = groupByTopic(retry);
    const waiting: Lane<T>[] = [];
    for (const lane of lanes) {
      const repeated = again.get(lane.topic);
      if (repeated !== undefined) {
        lane.queue = [...repeated, ...lane.queue];
        if (afterMs > 0) {
          waiting.push(lane);
          continue;
        }
      }
      this.#release(lane);
    }
    if (waiting.length > 0) {
      setTimeout(() => {
        for (const lane of waiting) this.#release(lane);
        this.#pump(true);
      }, afterMs);
    }
    if (this.#lanes.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    // What has queued up behind the answer has waited long enough.
    this.#pump(true);
  }

  #release(lane: Lane<T>): void {
    lane.inFlight = false;
    if (lane.queue.length === 0) {
      this.#lanes.delete(lane.topic);
    } else {
      this.#ready.push(lane);
      this.#readyCount += lane.queue.length;
    }
  }
}

function arrivalOf<T extends Batchable>(lane: Lane<T>): number {
  return lane.queue[0]?.arrival ?? 0;
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
