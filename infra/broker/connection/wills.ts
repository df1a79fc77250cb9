// Wills that are published some time after the end of their connection [MQTT-3.1.3-9].

import type { Message } from '../packets/message.ts';
import type { Store } from '../store/broker-store.ts';
import {
  type ConnectionRecord,
  forgetRecord,
  keepRecord,
  type WillRecord,
} from '../store/records.ts';

interface Waiting {
  readonly record: WillRecord;
  readonly timer: NodeJS.Timeout;
}

/** The longest that a timer of Node can run. */
const maxTimerMs = 2 ** 31 - 1;

export class Wills {
  readonly #store: Store;
  readonly #publish: (message: Message, record: ConnectionRecord) => void;
  readonly #waiting = new Map<string, Waiting>();

  constructor(store: Store, publish: (message: Message, record: ConnectionRecord) => void) {
    this.#store = store;
    this.#publish = publish;
  }

  /** Publishes the will of a connection that has ended, now or in time. */
  publish(record: WillRecord, dueAtMs = Date.now()): void {
    const inMs = dueAtMs - Date.now();
    if (inMs <= 0) return this.#done(record);
    const { clientId } = record.facts;
    // Of one client id one will can wait: a new connection has called the one before off.
    this.publishNow(clientId);
    void keepRecord(this.#store, { ...record, dueAtMs });
    const timer = setTimeout(() => this.publishNow(clientId), Math.min(inMs, maxTimerMs)).unref();
    this.#waiting.set(clientId, { record, timer });
  }

  /** The client is back in its session: its will is not published. */
  cancel(clientId: string): void {
    const waiting = this.#take(clientId);
    if (waiting !== undefined) void forgetRecord(this.#store, waiting.record.facts.epoch);
  }

  /** The client's session ends before its will was due. */
  publishNow(clientId: string): void {
    const waiting = this.#take(clientId);
    if (waiting !== undefined) this.#done(waiting.record);
  }

  /** Wills that wait stay in the store, for the next process. */
  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #take(clientId: string): Waiting | undefined {
    const waiting = this.#waiting.get(clientId);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#waiting.delete(clientId);
    return waiting;
  }

  #done(record: WillRecord): void {
    const { message, expirySeconds } = record.will;
    const expires = expirySeconds !== undefined && {
      expiresAtMs: Date.now() + expirySeconds * 1000,
    };
    this.#publish(expires ? { ...message, ...expires } : message, record);
    void forgetRecord(this.#store, record.facts.epoch);
  }
}
