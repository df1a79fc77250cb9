// How a command leaves: at once, or after what has to happen first, and then in the order of its topic.

import { awaitedBy } from '../../functions/table/awaited-reply.ts';
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import { Lanes } from './lanes.ts';
import type { QueueEntry } from './ledger.ts';
import type { PublishResult, PublishWindow } from './publish-window.ts';
import type { Publisher } from './publisher.ts';
import type { Replies } from './replies.ts';

/** Maximum commands that wait for a trial, or for the subscription to a response topic; a large one counts as several. */
const maxWaiting = 256;
/** Going through the queue again is worth it for so many at least. */
const roomBeforeGoingOn = 32;

/** What became of a command at the time that the next one to its topic may follow. */
export interface Started {
  readonly result: PublishResult | Promise<PublishResult>;
}

const offline: PublishResult = { kind: 'offline' };

export interface SendingOptions {
  readonly publisher: Publisher;
  readonly replies: Replies;
  /** There is room again for those that {@link Sending.hasRoomFor} had none for. */
  readonly onRoom: () => void;
}

export class Sending {
  readonly #publisher: Publisher;
  readonly #replies: Replies;
  readonly #onRoom: () => void;
  readonly #lanes = new Lanes<Started>(maxWaiting);
  /** How many waited when there was last no room for one. */
  #heldAt: number | undefined;

  constructor({ publisher, replies, onRoom }: SendingOptions) {
    this.#publisher = publisher;
    this.#replies = replies;
    this.#onRoom = onRoom;
  }

  /** False where it may have to wait, and too many do. */
  hasRoomFor(entry: QueueEntry): boolean {
    const { topic, caller, bytes, awaited } = entry;
    const mayWait =
      this.#lanes.has(topic) || awaited !== undefined || this.#publisher.needsTrial(entry);
    if (!mayWait || this.#lanes.hasRoomFor(caller, bytes)) return true;
    this.#heldAt = this.#lanes.size;
    return false;
  }

  /** Publishes a command; those to one topic leave in the order of the calls. */
  publish(command: QueuedCommand, window: PublishWindow): PublishResult | Promise<PublishResult> {
    const { topic, caller = '', payload, awaitsReply } = command;
    const isTried = this.#publisher.needsTrial(command);
    if (!isTried && !awaitsReply && !this.#lanes.has(topic)) return window.publish(command);
    const inLane = this.#lanes.put(topic, { caller, bytes: payload.byteLength }, (before) =>
      this.#start(command, window, { before, isTried }),
    );
    const goOn = () => this.#goOn();
    void inLane.then(goOn, goOn);
    return inLane.then(({ result }) => result);
  }

  /** Resolves when the next command to its topic may be published. */
  async #start(
    command: QueuedCommand,
    window: PublishWindow,
    { before, isTried }: { readonly before: Started | undefined; readonly isTried: boolean },
  ): Promise<Started> {
    // What went before it stays in the queue, and has to be sent first.
    if (before?.result === offline) return before;
    const obstacle = command.awaitsReply ? await this.#expectReply(command) : undefined;
    if (obstacle !== undefined) return { result: obstacle };
    if (isTried) await window.whenSettled(command.topic);
    // Then this is also true of what was in flight to its topic.
    if (window.closed) return { result: offline };
    if (!isTried) return { result: window.publish(command) };
    const isSuspect = this.#publisher.isSuspect(command.id);
    return { result: await this.#publisher.trials.publish(command, isSuspect) };
  }

  async #expectReply(command: QueuedCommand): Promise<PublishResult | undefined> {
    const { responseTopic: topic, correlationData } = command.properties;
    if (topic === undefined) return { kind: 'refused', reason: 'it has no response topic' };
    const expected = await this.#replies.expect({
      ...awaitedBy({ ...command, correlationData }),
      topic,
    });
    if (expected.kind === 'expected') return undefined;
    return expected.kind === 'offline' ? offline : expected;
  }

  #goOn(): void {
    const { size } = this.#lanes;
    if (this.#heldAt === undefined) return;
    if (size > Math.max(roomBeforeGoingOn, this.#heldAt - roomBeforeGoingOn)) return;
    this.#heldAt = undefined;
    this.#onRoom();
  }
}
