// Who is connected, and which wills are still to be published, kept for the case that the broker is killed: the next one
// publishes the wills and says that these clients are gone.

import type { Message } from '../packets/message.ts';
import type { ConnectionFacts } from '../telemetry/events.ts';
import { keyNumber, type Store } from './broker-store.ts';
import { decodeMessage, encodeMessage } from './delivery.ts';

export interface DelayedWill {
  /** Its expiry counts from when it is published. */
  readonly message: Message;
  readonly expirySeconds?: number | undefined;
  /** How long after the end of the connection it is published, at the latest when the session ends. */
  readonly delaySeconds: number;
}

export interface ConnectionRecord {
  readonly facts: ConnectionFacts;
  readonly will: DelayedWill | undefined;
  /** The connection has ended, and the will is published then, in ms since 1970. */
  readonly dueAtMs?: number | undefined;
}

export type WillRecord = ConnectionRecord & { readonly will: DelayedWill };

const prefix = 'connection:';
const recordKey = (epoch: number) => prefix + keyNumber(epoch);

/** Resolves when the record is kept. */
export function keepRecord(
  store: Store,
  { facts, will, dueAtMs }: ConnectionRecord,
): Promise<void> {
  const encoded = will && encodeMessage(will.message).toString('base64');
  const { delaySeconds = 0, expirySeconds } = will ?? {};
  const record = { facts, will: encoded, delaySeconds, expirySeconds, dueAtMs };
  return store.write({
    type: 'put',
    key: recordKey(facts.epoch),
    value: Buffer.from(JSON.stringify(record)),
  });
}

export function forgetRecord(store: Store, epoch: number): Promise<void> {
  return store.write({ type: 'del', key: recordKey(epoch) });
}

/** What a killed broker left, oldest connection first. */
export async function leftRecords(store: Store): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const [, value] of store.entries(prefix)) {
    const { facts, will, delaySeconds = 0, expirySeconds, dueAtMs } = JSON.parse(value.toString());
    const message = will && decodeMessage(Buffer.from(will, 'base64'));
    records.push({ facts, will: message && { message, delaySeconds, expirySeconds }, dueAtMs });
  }
  return records;
}

/** So far apart are processes that start at once: more connections than one of them will have. */
const connectionsPerStart = 2 ** 24;

/**
 * Epochs for this process's connections, greater than those of all before it. They begin at its start in microseconds
 * since 1970: without the folder, where the last begin is, the clock says what came before, or all that is known of
 * clients elsewhere would stay above what they do from now on.
 */
export async function newEpochs(store: Store, nowMs = Date.now()): Promise<() => number> {
  const before = Number(store.get('epochs')?.toString() ?? 0);
  const begin = Math.max(before + connectionsPerStart, nowMs * 1000);
  await store.write({ type: 'put', key: 'epochs', value: Buffer.from(String(begin)) });
  let last = begin;
  return () => ++last;
}
