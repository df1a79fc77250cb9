// How much a session's queue holds, how much it may, and whose budget that counts for.
import { type Message, messageBytes } from '../packets/message.ts';
import type { Budget } from '../quotas/budget.ts';

export interface QueueLimits {
  /** Messages that are kept for the session, sent or not. */
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/** Part of a queue's room for messages whose publisher can wait; wills, events and the server's own have the rest. */
const partForWaiting = 0.9;

export class QueueRoom {
  readonly #limits: QueueLimits;
  #messages: number;
  #bytes: number;
  /** Whose memory or disk the messages take. */
  #budget: Budget | undefined;

  constructor(limits: QueueLimits, held: { readonly messages: number; readonly bytes: number }) {
    this.#limits = limits;
    this.#messages = held.messages;
    this.#bytes = held.bytes;
  }

  get messages(): number {
    return this.#messages;
  }

  /** It has as many messages as it may, or as many bytes. */
  get isFull(): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    return this.#messages >= maxQueuedMessages || this.#bytes >= maxQueuedBytes;
  }

  /** Whether a message is kept, and not dropped for a full queue. */
  takes(message: Message): boolean {
    return this.#hasSpace(message, 1);
  }

  /** A message that can wait has to: the last of the room is for those that cannot. */
  isFullFor(message: Message): boolean {
    return !this.#hasSpace(message, partForWaiting);
  }

  add(bytes: number): void {
    this.#messages++;
    this.#count(bytes);
  }

  remove(bytes: number): void {
    this.#messages--;
    this.#count(-bytes);
  }

  /** A message stays, and takes so much less. */
  free(bytes: number): void {
    this.#count(-bytes);
  }

  /** What is kept counts for another budget from now on; for none where nobody will want the messages any more. */
  charge(budget: Budget | undefined): void {
    this.#budget?.add(-this.#bytes);
    this.#budget = budget;
    budget?.add(this.#bytes);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget?.add(bytes);
  }

  /** Within this part of the limits. An empty queue has space for one message of any size, or that would wait for ever. */
  #hasSpace(message: Message, part: number): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#limits;
    const size = messageBytes(message);
    if (this.#messages > 0 && this.#messages >= maxQueuedMessages * part) return false;
    if (this.#messages > 0 && this.#bytes + size > maxQueuedBytes * part) return false;
    return this.#budget?.hasRoom(size) !== false;
  }
}
