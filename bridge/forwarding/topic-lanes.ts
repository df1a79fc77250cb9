// The lane of each topic: of those that have messages, and for a while of those that had some.
import { type Batchable, Lane } from './lane.ts';

/** What lanes without messages may take, in bytes: about 10,000 of topics with 30 characters. */
const maxIdleBytes = 2 * 1024 * 1024;
/** Of a lane and its place in the map, beside its topic. */
const laneBytes = 150;
/** Lanes of longer topics are not kept, in characters: few of them would fill the room. */
const maxKeptTopic = 256;

/**
 * Most topics are heard again soon. A lane that was made for each of their messages would cost more than its memory: the map
 * would be made again all the time, and old tables of a Map lead to newer ones, which keeps alive what stands in them until
 * the next full collection.
 */
export class TopicLanes<T extends Batchable> {
  #lanes = new Map<string, Lane<T>>();
  #busyCount = 0;
  #idleBytes = 0;

  /** How many lanes have messages that wait or are in flight. */
  get busyCount(): number {
    return this.#busyCount;
  }

  /** Those. */
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
    if (lane.topic.length > maxKeptTopic) {
      this.#lanes.delete(lane.topic);
      return;
    }
    this.#idleBytes += bytesOf(lane);
    if (this.#idleBytes > maxIdleBytes) this.#forgetIdle();
  }

  /** All at once, into another map: so each costs little, however many there are. */
  #forgetIdle(): void {
    this.#lanes = new Map(this.busy().map((lane) => [lane.topic, lane]));
    this.#idleBytes = 0;
  }
}

function bytesOf({ topic }: Lane<Batchable>): number {
  return laneBytes + topic.length;
}
