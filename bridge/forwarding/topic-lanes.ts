// The lane of each topic: of those that have messages, and for a while of those that had some.
import { type Batchable, Lane } from './lane.ts';

/** Of a lane and its place in the map, beside its topic. */
const laneBytes = 150;
/** Lanes of longer topics are not kept, in characters: few of them would fill the room. */
const maxKeptTopic = 256;

/**
 * Most topics are heard again soon. A lane that is made for each of their messages costs more than the memory of one that stays:
 * V8 copies a Map that changes so much into a new table again and again, and each old table leads to the next one. What they
 * hold stays in memory until the next full collection, and those come sooner.
 */
export class TopicLanes<T extends Batchable> {
  #lanes = new Map<string, Lane<T>>();
  #busyCount = 0;
  #idleBytes = 0;
  readonly #maxIdleBytes: number;

  /** `maxIdleBytes` is what lanes without messages may take. */
  constructor(maxIdleBytes: number) {
    this.#maxIdleBytes = maxIdleBytes;
  }

  /** How many lanes have messages that wait or are in flight. */
  get busyCount(): number {
    return this.#busyCount;
  }

  /** The lanes that have messages. */
  busy(): Lane<T>[] {
    return [...this.#lanes.values()].filter(({ isIdle }) => !isIdle);
  }

  /** The lane that a message of this topic goes into now. */
  occupy(topic: string): Lane<T> {
    let lane = this.#lanes.get(topic);
    if (lane === undefined) {
      lane = new Lane(topic);
      this.#lanes.set(topic, lane);
    } else if (lane.isIdle) {
      this.#idleBytes -= bytesOf(lane);
    } else {
      return lane;
    }
    this.#busyCount++;
    return lane;
  }

  /** It has no messages any more. */
  vacate(lane: Lane<T>): void {
    this.#busyCount--;
    const bytes = bytesOf(lane);
    const fits = this.#idleBytes + bytes <= this.#maxIdleBytes;
    const idleCount = this.#lanes.size - this.#busyCount;
    // Where most have messages, to go through all of them would cost more than what is forgotten.
    if (!fits && idleCount > this.#busyCount) this.#forgetIdle();
    else if (!fits || lane.topic.length > maxKeptTopic) this.#lanes.delete(lane.topic);
    else this.#idleBytes += bytes;
  }

  /** All of them at once, so that each costs little; and into another map, which no old table leads to. */
  #forgetIdle(): void {
    this.#lanes = new Map(this.busy().map((lane) => [lane.topic, lane]));
    this.#idleBytes = 0;
  }
}

function bytesOf({ topic }: Lane<Batchable>): number {
  return laneBytes + topic.length;
}
