// Who is connected, with what will, kept for the case that the broker is killed: the next one publishes the wills
// and says that these clients are gone.
import type { ConnectionFacts } from './events.ts';
import { decodeMessage, encodeMessage, type Message } from './message.ts';
import { keyNumber, type Store } from './store.ts';

export interface ConnectionRecord {
  readonly facts: ConnectionFacts;
  readonly will: Message | undefined;
}

const prefix = 'connection:';
const recordKey = (epoch: number) => prefix + keyNumber(epoch);

/** Resolves when the record is kept. */
export function keepRecord(store: Store, { facts, will }: ConnectionRecord): Promise<void> {
  const encoded = will && encodeMessage(will).toString('base64');
  const value = Buffer.from(JSON.stringify({ facts, will: encoded }));
  return store.write({ type: 'put', key: recordKey(facts.epoch), value });
}

export function forgetRecord(store: Store, epoch: number): Promise<void> {
  return store.write({ type: 'del', key: recordKey(epoch) });
}

/** What a killed broker left, oldest connection first. */
export async function leftRecords(store: Store): Promise<ConnectionRecord[]> {
  const records: ConnectionRecord[] = [];
  for await (const [, value] of store.entries(prefix)) {
    const { facts, will } = JSON.parse(value.toString());
    records.push({ facts, will: will && decodeMessage(Buffer.from(will, 'base64')) });
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
  const before = Number((await store.get('epochs'))?.toString() ?? 0);
  const begin = Math.max(before + connectionsPerStart, nowMs * 1000);
  await store.write({ type: 'put', key: 'epochs', value: Buffer.from(String(begin)) });
  let last = begin;
  return () => ++last;
}
