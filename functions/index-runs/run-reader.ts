// Reads runs: all of one in order, which topics one has, and what one has of a topic, step by step.
import { Deletions } from '../table/deletion.ts';
import { type ItemSource, readPartition } from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import { compareSortKeys } from '../table/sort-keys.ts';
import { decodeBlock } from './block-codec.ts';
import { expiryOf, type Reference, summaryOf } from './reference.ts';
import {
  behindAllKey,
  behindReferenceKey,
  blocksPartition,
  directoryPartition,
  hasDirectory,
  type Run,
  referenceKey,
} from './run.ts';

export interface RunSource extends ItemSource {
  readonly budget?: ReadBudget | undefined;
}

interface Block {
  readonly key: string;
  readonly references: readonly Reference[];
}

/** Keys of blocks, both included, without `after`; `newestFirst` goes from the last one back. */
interface KeyRange {
  readonly low: string;
  readonly high: string;
  readonly newestFirst?: boolean;
  readonly after?: string | undefined;
}

/** Up to `limit` blocks, or one more where `after` is none of them. */
async function readBlocks(
  source: RunSource,
  partition: string,
  range: KeyRange,
  limit: number,
): Promise<Block[]> {
  const blocks: Block[] = [];
  const steps = readPartition(
    source,
    partition,
    { newestFirst: false, ...range },
    {
      maxQueries: 1,
      firstItems: limit,
      maxItems: limit + 1,
      // A page that has begun to read runs needs what it asked for: there are few of them.
      budget: source.budget?.unbounded(),
    },
  );
  for await (const { key, item } of steps)
    if (item?.['b']?.B) blocks.push({ key, references: decodeBlock(item['b'].B) });
  return blocks;
}

/** All blocks from `low` on, `first` of them at once and then more and more, up to `max`. */
async function* blocksFrom(
  source: RunSource,
  partition: string,
  low: string,
  [first, max]: readonly [first: number, max: number],
): AsyncGenerator<Block, void> {
  let after: string | undefined;
  for (let limit = first; ; limit = Math.min(max, 4 * limit)) {
    const blocks = await readBlocks(source, partition, { low, high: behindAllKey, after }, limit);
    yield* blocks;
    if (blocks.length < limit) return;
    after = blocks.at(-1)?.key;
  }
}

/** All references of a run, but those to messages that have all expired by `nowMs`, or are deleted. */
export async function* referencesOf(
  source: RunSource,
  run: Run,
  nowMs: number,
  deletions = new Deletions(),
): AsyncGenerator<Reference, void> {
  for await (const { references } of blocksFrom(source, blocksPartition(run.id), ' ', [64, 64]))
    for (const reference of references) {
      const { topic, firstMs, lastMs } = reference;
      const isExpired = expiryOf(reference) * 1000 <= nowMs;
      if (!isExpired && !deletions.hasAllOf(topic, firstMs, lastMs)) yield reference;
    }
}

/** What a run has of the topics between two sort keys, both included: one reference each, as in a directory. */
export async function* topicsOf(
  source: RunSource,
  run: Run,
  { low, high }: Pick<KeyRange, 'low' | 'high'>,
): AsyncGenerator<Reference, void> {
  const partition = hasDirectory(run) ? directoryPartition(run.id) : blocksPartition(run.id);
  const isBefore =
    (key: string) =>
    ({ topic }: Reference) =>
      compareSortKeys(topic, key) < 0;
  let entry: Reference | undefined;
  for await (const { references } of blocksFrom(source, partition, low, [1, 16]))
    for (const reference of references) {
      if (isBefore(low)(reference)) continue;
      if (entry !== undefined && entry.topic !== reference.topic) {
        yield entry;
        entry = undefined;
      }
      if (compareSortKeys(reference.topic, high) > 0) return;
      entry = summaryOf(entry, reference);
    }
  if (entry !== undefined) yield entry;
}

/** Which references are asked for: those of a topic that may lead to messages of these times. */
export interface Wanted {
  readonly topic: string;
  /** Milliseconds since 1970, both included. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly newestFirst: boolean;
}

/** Blocks that are read at once behind the first, of a topic that has more references than a block: more and more. */
const firstBlocks = 2;
const maxBlocks = 8;

/** What a run has of a topic, step by step from one end of time to the other. */
export class TopicReader {
  readonly #source: RunSource;
  readonly #run: Run;
  readonly #wanted: Wanted;
  /** The key behind which reading goes on; undefined before the first step. */
  #key: string | undefined;
  #boundMs: number;
  #blocks = firstBlocks;
  #isDone = false;

  constructor(source: RunSource, run: Run, wanted: Wanted) {
    this.#source = source;
    this.#run = run;
    this.#wanted = wanted;
    this.#boundMs = wanted.newestFirst ? run.lastMs : run.firstMs;
  }

  /** No message of what has not been read is newer or, where the oldest come first, older. Milliseconds since 1970. */
  get boundMs(): number {
    return this.#boundMs;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** The next references, in no order; there may be none. */
  async next(): Promise<Reference[]> {
    const { topic, fromMs, toMs, newestFirst } = this.#wanted;
    const blocks = newestFirst ? await this.#back() : await this.#forth();
    return blocks.flatMap(({ references }) =>
      references.filter(
        (one) => one.topic === topic && one.lastMs >= fromMs && one.firstMs <= toMs,
      ),
    );
  }

  async #back(): Promise<Block[]> {
    const { topic, fromMs } = this.#wanted;
    const low = referenceKey(topic, fromMs);
    const isFirst = this.#key === undefined;
    const limit = this.#blocks;
    const blocks = isFirst ? await this.#newest() : await this.#read({ low, newestFirst: true });
    const oldest = blocks.at(-1)?.references[0];
    if (!isFirst && blocks.length < limit) this.#isDone = true;
    else if (oldest !== undefined) {
      // Blocks before this one end at the latest where it begins.
      this.#isDone = compareSortKeys(referenceKey(oldest.topic, oldest.lastMs), low) < 0;
      if (oldest.topic === topic) this.#boundMs = Math.min(this.#boundMs, oldest.lastMs);
    }
    return blocks;
  }

  /** The block in which the newest ones stand ends at or behind them, and others of the topic before it. */
  async #newest(): Promise<Block[]> {
    const { topic, toMs } = this.#wanted;
    this.#key = behindReferenceKey(topic, toMs + this.#run.spanMs);
    const partition = blocksPartition(this.#run.id);
    return readBlocks(this.#source, partition, { low: this.#key, high: behindAllKey }, 1);
  }

  async #forth(): Promise<Block[]> {
    const { topic, fromMs, toMs } = this.#wanted;
    const low = referenceKey(topic, fromMs);
    const blocks = await (this.#key === undefined ? this.#read({ low }, 1) : this.#read({ low }));
    const newest = blocks.at(-1)?.references.at(-1);
    if (newest === undefined || newest.topic !== topic) this.#isDone = true;
    else {
      this.#isDone = newest.lastMs > toMs + this.#run.spanMs;
      this.#boundMs = Math.max(this.#boundMs, newest.lastMs - this.#run.spanMs);
    }
    return blocks;
  }

  async #read(
    range: { readonly low: string; readonly newestFirst?: boolean },
    limit = this.#blocks,
  ): Promise<Block[]> {
    if (this.#key !== undefined) this.#blocks = maxBlocks;
    const whole = { high: behindAllKey, after: this.#key, ...range };
    const blocks = await readBlocks(this.#source, blocksPartition(this.#run.id), whole, limit);
    this.#key = blocks.at(-1)?.key ?? this.#key;
    return blocks;
  }
}
