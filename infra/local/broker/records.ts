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

/** Connections of one process; the rest of an epoch is the number of the process. */
const connectionsPerStart = 2 ** 32;

/** Epochs for this process's connections, greater than those of all before it. */
export async function newEpochs(store: Store): Promise<() => number> {
  const starts = Number((await store.get('starts'))?.toString() ?? 0) + 1;
  await store.write({ type: 'put', key: 'starts', value: Buffer.from(String(starts)) });
  let last = starts * connectionsPerStart;
  return () => ++last;
}
