// Writes the blocks of a run, and of its directory, from references in order; in bounded memory, at a bounded rate.
import { setTimeout as delay } from 'node:timers/promises';
import { putBatch } from '../table/batch-write.ts';
import type { Item } from '../table/item.ts';
import type { ItemSource } from '../table/partition.ts';
import { encodeBlock } from './block-codec.ts';
import { type Reference, summaryOf } from './reference.ts';
import {
  blockSortKey,
  blocksPartition,
  directoryPartition,
  type Extent,
  extended,
  hasDirectory,
  noExtent,
  type Run,
} from './run.ts';

/** A read of 4 KB is one unit, keys and names of attributes included. */
const readUnitBytes = 4096;
const attributeBytes = 40;
/** A BatchWriteItem takes 25 items. */
const itemsOfBatch = 25;
/** Blocks go to one partition key, which takes 1,000 units a second: each is four. */
const blocksPerSecond = 150;
/** Time for one batch, with what DynamoDB leaves unprocessed. */
const batchMs = 30_000;

export interface RunWriterOptions extends ItemSource {
  readonly run: Pick<Run, 'id' | 'level'>;
  /** When its blocks expire: not before the last of its messages does. */
  readonly expiresAtSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a run. Rejects where the database is lost or `signal` aborts: what is written then is read by nobody, and expires. */
export async function writeRun(
  references: AsyncIterable<Reference> | Iterable<Reference>,
  options: RunWriterOptions,
): Promise<Run> {
  const { run } = options;
  const blocks = new BlockWriter(blocksPartition(run.id), options);
  const directory = hasDirectory(run)
    ? new BlockWriter(directoryPartition(run.id), options)
    : undefined;
  let extent: Extent = noExtent;
  /** The topic that is being written, as its directory has it. */
  let entry: Reference | undefined;
  for await (const reference of references) {
    extent = extended(extent, reference);
    await blocks.add(reference);
    if (directory === undefined) continue;
    if (entry !== undefined && entry.topic !== reference.topic) await directory.add(entry);
    entry = summaryOf(entry, reference);
  }
  if (entry !== undefined) await directory?.add(entry);
  await blocks.finish();
  await directory?.finish();
  return { ...run, ...extent, expiresAtSeconds: options.expiresAtSeconds };
}

class BlockWriter {
  readonly #partition: string;
  readonly #options: RunWriterOptions;
  /** Not yet in a block. */
  #references: Reference[] = [];
  /** Not yet written. */
  #items: Item[] = [];
  #blocks = 0;
  /** Learnt from the blocks so far. */
  #bytesOfReference = 6;

  constructor(partition: string, options: RunWriterOptions) {
    this.#partition = partition;
    this.#options = options;
  }

  async add(reference: Reference): Promise<void> {
    this.#references.push(reference);
    const bytes = this.#references.length * this.#bytesOfReference + reference.topic.length;
    if (bytes >= 0.95 * readUnitBytes) await this.#cut();
  }

  async finish(): Promise<void> {
    await this.#cut();
    await this.#write();
  }

  async #cut(): Promise<void> {
    const references = this.#references;
    this.#references = [];
    if (references.length > 0) this.#encode(references);
    if (this.#items.length >= itemsOfBatch) await this.#write();
  }

  /** One block, or two where it would take more than a read unit. */
  #encode(references: readonly Reference[]): void {
    const last = references.at(-1) as Reference;
    const bytes = encodeBlock(references);
    const sk = blockSortKey(last, this.#blocks);
    const own = this.#partition.length + Buffer.byteLength(sk) + attributeBytes;
    this.#bytesOfReference =
      0.7 * this.#bytesOfReference + 0.3 * (bytes.length / references.length);
    if (bytes.length + own > readUnitBytes && references.length > 1) {
      const half = references.length >> 1;
      this.#encode(references.slice(0, half));
      this.#encode(references.slice(half));
      return;
    }
    this.#blocks++;
    this.#items.push({
      pk: { S: this.#partition },
      sk: { S: sk },
      b: { B: bytes },
      expiresAt: { N: String(this.#options.expiresAtSeconds) },
    });
  }

  async #write(): Promise<void> {
    const { client, tableName, signal } = this.#options;
    while (this.#items.length > 0) {
      const startedMs = performance.now();
      const items = this.#items.splice(0, itemsOfBatch);
      const now = () => performance.now();
      const put = { client, tableName, now, deadlineMs: startedMs + batchMs };
      const { items: unput, error } = await putBatch(items, put);
      if (unput.length > 0) throw error ?? new Error('the table is throttled');
      signal?.throwIfAborted();
      if (this.#items.length === 0 && items.length < itemsOfBatch) return;
      const dueMs = startedMs + (items.length / blocksPerSecond) * 1000;
      await delay(Math.max(0, dueMs - performance.now()), undefined, { signal });
    }
  }
}
