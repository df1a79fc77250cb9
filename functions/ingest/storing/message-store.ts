// Stores a batch of messages: looks back for what may be stored already, then writes all the others.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Message } from '../../contract/message.ts';
import type { PresenceFeed } from '../../contract/presence-feed.ts';
import type { ClientChange, ItemFailure } from '../../contract/receipt.ts';
import { defaultStorageForm, type StorageForm } from '../../contract/storage-form.ts';
import type { FeedPart } from '../../feed/feed-entry.ts';
import type { NotedBefore, NoteStored } from '../../feed/feed-writer.ts';
import { isPackable } from '../../segments/packable.ts';
import { itemBytes } from '../../table/chunks.ts';
import { checkedShards, messageSortKey, shardOf } from '../../table/item.ts';
import { createPresenceFold } from '../presence/fold.ts';
import { HotTopics, writeUnitsOf } from './hot-topics.ts';
import { createLookBack } from './look-back.ts';
import { defaultMinPacked, Packer } from './packing.ts';
import { distinctOf, planOf } from './plan.ts';
import { createRegistry } from './registry.ts';
import { createSegmentWriter } from './segment-writer.ts';
import { createWriter, type Unwritten } from './writer.ts';

export interface StoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Days after receipt at which a message expires, unless its batch says otherwise. */
  readonly retentionDays: number;
  /**
   * Shards that each topic's messages are spread over, 1 to 32: a partition of DynamoDB takes 1,000 writes a second,
   * and every query of a topic reads all its shards. Default 1. It may be raised, readers first; a message that is
   * sent again across the change may be stored in two shards, and is shown once. It must not be lowered within the
   * retention: what the dropped shards hold would not be found.
   */
  readonly writeShards?: number;
  /** A request with fewer messages that can be packed is stored as items. Default {@link defaultMinPacked}. */
  readonly minPacked?: number;
  /** Calls to DynamoDB in flight at once. Default 8. */
  readonly concurrency?: number;
  /** Time to spend on retries of what DynamoDB did not process, in milliseconds. Default 10,000. */
  readonly timeBudgetMs?: number;
  readonly now?: () => number;
  /** The time by the table's clock, in milliseconds since 1970: segments are sorted by it. Default `now`. */
  readonly tableNow?: () => number;
  /** Told what was stored, for those who watch; what it does is waited for. Default nothing. */
  readonly note?: NoteStored;
}

/** How a route wants its messages stored. */
export interface StorageOptions {
  /** Days after receipt at which these messages expire. Default as the store has it. */
  readonly retentionDays?: number | undefined;
  /** Many in one item where that is cheaper, or each as an item of its own. Readers take both. Default {@link defaultStorageForm}. */
  readonly storage?: StorageForm | undefined;
}

/** {@link StorageOptions} with their defaults. */
type Storage = {
  readonly [Option in keyof StorageOptions]-?: NonNullable<StorageOptions[Option]>;
} & Pick<PutOptions, 'notedBefore' | 'onNoted'>;

export interface PutOptions extends StorageOptions {
  /** They are presence messages of this kind: not stored as they are, but folded into who is online. */
  readonly presence?: PresenceFeed | undefined;
  /** Told of the clients that presence messages have changed. */
  readonly onClients?: ((changes: readonly ClientChange[]) => void) | undefined;
  /** When what was stored before these was noted, as {@link PutOptions.onNoted} told it. Default nothing was before. */
  readonly notedBefore?: NotedBefore | undefined;
  /** Told when these were noted, where somebody watches. */
  readonly onNoted?: (notedMs: number) => void;
  /** Told how many had been stored before, under another time of receipt: they are not again. */
  readonly onDuplicates?: (count: number) => void;
}

export interface Store {
  /** Stores the messages; resolves with those that were not stored. Rejects never for a lost database. */
  put(messages: readonly Message[], options?: PutOptions): Promise<ItemFailure[]>;
  /** Whether an item can be written now, tried with one that means nothing. Rejects never for a lost database. */
  canWrite(): Promise<boolean>;
}

/** No key of anything that is kept starts so. The item is written when the bridge asks whether ingest is well. */
const trialKey = { pk: { S: 'trial' }, sk: { S: 'ingest' } };
const trialSeconds = 3600;

export function createStore(options: StoreOptions): Store {
  const { client, tableName, concurrency = 8, timeBudgetMs = 10_000, now = Date.now } = options;
  const { minPacked = defaultMinPacked } = options;
  const writeShards = checkedShards(options.writeShards ?? 1);
  const writeItems = createWriter({ client, tableName, concurrency, now });
  const packer = new Packer();
  const writeSegments = createSegmentWriter({
    write: writeItems,
    now,
    tableNow: options.tableNow ?? now,
  });
  const lookBack = createLookBack({ client, tableName, concurrency, writeShards });
  const countTopics = createRegistry({ client, tableName, concurrency, now });
  const hotTopics = new HotTopics();
  const foldPresence = createPresenceFold({ client, tableName, concurrency, now });

  async function writeMessages(
    batch: readonly Message[],
    { retentionDays, storage, notedBefore, onNoted }: Storage,
    deadlineMs: number,
  ): Promise<ItemFailure[]> {
    const { messages, refused } = distinctOf(batch);
    const failures = new Map(refused.map((failure) => [failure.itemIdentifier, failure]));
    const { packed, single } =
      storage === 'packed' ? packedOf(messages, minPacked) : { packed: [], single: messages };
    const parts = await Promise.all([
      writePacked(packed, retentionDays, deadlineMs, failures),
      writeSingle(single, retentionDays, deadlineMs, failures),
    ]);
    const named = parts.flat().filter((part) => part.messages.length > 0);
    const noted = await options.note?.(named, notedBefore);
    if (noted !== undefined) onNoted?.(noted);
    return [...failures.values()];
  }

  async function writePacked(
    messages: readonly Message[],
    retentionDays: number,
    deadlineMs: number,
    failures: Failures,
  ): Promise<FeedPart[]> {
    if (messages.length === 0) return [];
    const parts = packer.pack(messages, retentionDays);
    const { unwritten, written } = await writeSegments(parts, retentionDays, deadlineMs);
    for (const { part, ...failure } of unwritten)
      note(
        failures,
        part.messages.map(({ id }) => ({ id, ...failure })),
      );
    return Array.from(written, ([part, id]) => ({
      place: { kind: 'segment', id },
      messages: part.messages.map(namedOf),
    }));
  }

  async function writeSingle(
    messages: readonly Message[],
    retentionDays: number,
    deadlineMs: number,
    failures: Failures,
  ): Promise<FeedPart[]> {
    if (messages.length === 0) return [];
    const nowMs = now();
    const { entries, heads, refused } = planOf(messages, ({ id, time, topic, payload }) => ({
      expiresAtSeconds: Math.floor(Date.parse(time) / 1000) + retentionDays * 86_400,
      shard: shardOf(id, writeShards),
      isApart: hotTopics.add(topic, writeUnitsOf(payload.byteLength), nowMs),
    }));
    for (const failure of refused) failures.set(failure.itemIdentifier, failure);
    note(failures, failedOf(await writeItems(entries, { deadlineMs })));
    if (heads.length > 0) {
      const whole = heads.filter(({ id }) => !failures.has(id));
      note(failures, failedOf(await writeItems(whole, { deadlineMs })));
    }
    const stored = failures.size === 0 ? messages : messages.filter(({ id }) => !failures.has(id));
    await countTopics(stored, retentionDays);
    return [{ place: { kind: 'items', shards: writeShards }, messages: stored.map(namedOf) }];
  }

  async function put(
    messages: readonly Message[],
    {
      retentionDays = options.retentionDays,
      storage = defaultStorageForm,
      presence,
      onClients,
      onDuplicates,
      notedBefore,
      onNoted,
    }: PutOptions = {},
  ): Promise<ItemFailure[]> {
    const deadlineMs = now() + timeBudgetMs;
    if (presence !== undefined)
      return foldPresence(messages, presence, retentionDays, deadlineMs, onClients);
    const writing: Storage = { retentionDays, storage, notedBefore, ...(onNoted && { onNoted }) };
    if (!messages.some(({ possibleDuplicate }) => possibleDuplicate === true)) {
      return writeMessages(messages, writing, deadlineMs);
    }
    const { duplicates, failures } = await lookBack(messages);
    if (duplicates.size > 0) onDuplicates?.(duplicates.size);
    const unsure = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
    const fresh = messages.filter((m) => !duplicates.has(m) && !unsure.has(m.id));
    return [...failures, ...(await writeMessages(fresh, writing, deadlineMs))];
  }

  async function canWrite(): Promise<boolean> {
    const seconds = Math.floor(now() / 1000);
    const item = { ...trialKey, expiresAt: { N: String(seconds + trialSeconds) } };
    const unwritten = await writeItems([{ item, bytes: itemBytes(item), id: '' }], {
      deadlineMs: now() + timeBudgetMs,
    });
    return unwritten.length === 0;
  }

  return { put, canWrite };
}

/** Notes what was not written: one failure a message, to be tried again if any part of it may be. */
function note(failures: Failures, unwritten: readonly FailedMessage[]): void {
  for (const { id, reason, retryable } of unwritten) {
    if (failures.get(id)?.retryable === true) continue;
    failures.set(id, { itemIdentifier: id, reason, retryable });
  }
}

function namedOf(message: Message) {
  return { topic: message.topic, key: messageSortKey(message) };
}

/** By the ids of their messages. */
type Failures = Map<string, ItemFailure>;

type FailedMessage = Omit<Unwritten, 'entry'> & { readonly id: string };

function failedOf(unwritten: readonly Unwritten[]): FailedMessage[] {
  return unwritten.map(({ entry: { id }, ...failure }) => ({ id, ...failure }));
}

/** Which messages go into segments, and which are items of their own. */
function packedOf(messages: readonly Message[], minPacked: number) {
  const packed = messages.filter(isPackable);
  if (packed.length < minPacked) return { packed: [], single: messages };
  if (packed.length === messages.length) return { packed, single: [] };
  return { packed, single: messages.filter((message) => !isPackable(message)) };
}
