// The packed messages of a topic in the order of their sort keys. Looks into runs from the one end of time, as far as the
// reader goes on, and tells a message once nothing that is unread can come before it.
import { timeText } from '../contract/time.ts';
import { expiryOf, type Reference, segmentName } from '../index-runs/reference.ts';
import { type Run, runsWithin } from '../index-runs/run.ts';
import { type RunSource, TopicReader, type Wanted } from '../index-runs/run-reader.ts';
import { getSegments } from '../segments/stored-segments.ts';
import type { Deletions } from '../table/deletion.ts';
import { type Item, messageTimeOf } from '../table/item.ts';
import type { SortKeyRange } from '../table/partition.ts';
import type { ReadBudget } from '../table/read-budget.ts';
import { compareSortKeys } from '../table/sort-keys.ts';
import type { Steps } from '../table/steps.ts';
import type { LogView } from './log-view.ts';
import { ReadSegment } from './read-segment.ts';

export interface PackedStepsOptions {
  /** Items that are told at most. Default no limit. */
  readonly maxItems?: number | undefined;
  /** How many the reader will want; what is read ahead. */
  readonly firstItems?: number | undefined;
  /** Asked before more is read, once there has been a step. */
  readonly budget?: ReadBudget | undefined;
  readonly nowMs: number;
  readonly deletions: Deletions;
  /** What each run has of the topic, where that is known: then the newest message is found without looking into them. */
  readonly summaries?: readonly (Reference & { readonly run?: Run })[] | undefined;
}

/** What is read ahead for a reader that does not say how much it wants. */
const defaultAhead = 200;
/** Runs that are looked into side by side, at most. */
const maxRunsAtOnce = 8;
/** A BatchGetItem takes 100 keys. */
const maxSegmentsAtOnce = 100;

export async function* packedSteps(
  view: LogView,
  topic: string,
  range: SortKeyRange,
  options: PackedStepsOptions,
): Steps {
  const { maxItems = Number.POSITIVE_INFINITY, firstItems = defaultAhead, budget } = options;
  const search = new Search(view, topic, range, options);
  await search.readTail();
  let told = 0;
  for (;;) {
    for (const { key, item } of search.take()) {
      if (told === maxItems) return false;
      told++;
      yield { key, item };
    }
    if (search.isDone) return true;
    if (told > 0 && (told >= maxItems || (await budget?.mayRead()) === false)) return false;
    const wanted = Math.min(firstItems, maxItems) - told;
    await search.advance(wanted > 0 ? wanted : defaultAhead);
  }
}

/** A place where messages are that have not been read, and the first time that one can have. */
interface Place {
  readonly firstMs: number;
  readonly reader: TopicReader;
}

class Search {
  readonly #view: LogView;
  readonly #source: RunSource;
  readonly #wanted: Wanted;
  readonly #range: SortKeyRange;
  readonly #options: PackedStepsOptions;
  /** Runs that may have more, the next first. */
  #places: Place[];
  /** What is not read of what runs have told, the next first. */
  #references: Reference[] = [];
  readonly #seen = new Set<string>();
  /** What has been read and not been told, by sort key. */
  readonly #found = new Map<string, Item>();
  #runsAtOnce = 1;

  constructor(view: LogView, topic: string, range: SortKeyRange, options: PackedStepsOptions) {
    const { client, tableName, manifest } = view;
    this.#view = view;
    this.#source = { client, tableName, budget: options.budget };
    this.#wanted = wantedOf(topic, range);
    this.#range = range;
    this.#options = options;
    const { fromMs, toMs, newestFirst } = this.#wanted;
    const summaries = newestFirst && toMs === endOfTime ? options.summaries : undefined;
    this.#places =
      summaries === undefined
        ? runsWithin(manifest.runs, fromMs, toMs).map((run) => placeOf(this.#readerOf(run)))
        : summaries.flatMap(({ run, firstMs }) =>
            run === undefined ? [] : [{ firstMs, reader: this.#readerOf(run) }],
          );
    for (const summary of summaries ?? []) this.#refer(summary);
    this.#sort();
  }

  get isDone(): boolean {
    return this.#places.length === 0 && this.#references.length === 0 && this.#found.size === 0;
  }

  #readerOf(run: Run): TopicReader {
    return new TopicReader(this.#source, run, this.#wanted);
  }

  async readTail(): Promise<void> {
    for (const segment of await this.#view.tailOf(this.#wanted.topic)) this.#keep(segment);
  }

  /** The messages that nothing unread can come before, in order. */
  take(): { key: string; item: Item }[] {
    const isReady = this.#isBefore(this.#frontierMs());
    const ready = [...this.#found]
      .filter(([key]) => isReady(key))
      .map(([key, item]) => ({ key, item }));
    for (const { key } of ready) this.#found.delete(key);
    const sign = this.#range.newestFirst ? -1 : 1;
    return ready.sort((a, b) => sign * compareSortKeys(a.key, b.key));
  }

  /** Reads on, so that `wanted` messages more can be told, or as many as one step gives. */
  async advance(wanted: number): Promise<void> {
    const [next] = this.#places;
    // As few segments as will do are read: so first it is found out which come next.
    if (next !== undefined && this.#countBefore(next.firstMs) < wanted) await this.#readRuns();
    else await this.#readSegments(wanted);
  }

  async #readRuns(): Promise<void> {
    const places = this.#places.splice(0, this.#runsAtOnce);
    this.#runsAtOnce = Math.min(maxRunsAtOnce, 2 * this.#runsAtOnce);
    const found = await Promise.all(places.map(({ reader }) => reader.next()));
    const { nowMs, deletions } = this.#options;
    for (const reference of found.flat()) {
      const { topic, firstMs, lastMs } = reference;
      const isExpired = expiryOf(reference) * 1000 <= nowMs;
      if (!isExpired && !deletions.hasAllOf(topic, firstMs, lastMs)) this.#refer(reference);
    }
    for (const { reader } of places) if (!reader.isDone) this.#places.push(placeOf(reader));
    this.#sort();
  }

  #refer(reference: Reference): void {
    const name = segmentName(reference.id);
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    this.#references.push(reference);
  }

  async #readSegments(wanted: number): Promise<void> {
    const [first] = this.#references;
    let messages = this.#countFound(first && this.#nearEnd(first));
    let count = 0;
    for (const reference of this.#references) {
      if (count > 0 && (messages >= wanted || count === maxSegmentsAtOnce)) break;
      messages += reference.count;
      count++;
    }
    const next = this.#references.splice(0, count);
    const { budget } = this.#options;
    for (const segment of await getSegments(this.#view, next, { budget }))
      this.#keep(new ReadSegment(segment));
  }

  #keep(segment: ReadSegment): void {
    const { low, high, after, newestFirst } = this.#range;
    const { nowMs, deletions } = this.#options;
    const { topic } = this.#wanted;
    for (const { key, item } of segment.itemsOf(topic)) {
      if (compareSortKeys(key, low) < 0 || compareSortKeys(key, high) > 0) continue;
      if (after !== undefined && compareSortKeys(key, after) * (newestFirst ? -1 : 1) <= 0)
        continue;
      const isExpired = Number(item['expiresAt']?.N) <= Math.floor(nowMs / 1000);
      if (!isExpired && !deletions.has(topic, messageTimeOf(key))) this.#found.set(key, item);
    }
  }

  /** The first time that something unread can have. */
  #frontierMs(): number | undefined {
    const times = [
      this.#places[0]?.firstMs,
      this.#references[0] && this.#nearEnd(this.#references[0]),
    ];
    const known = times.filter((time) => time !== undefined);
    if (known.length === 0) return undefined;
    return this.#range.newestFirst ? Math.max(...known) : Math.min(...known);
  }

  /** Whether a message comes before a time; each does where there is none. */
  #isBefore(ms: number | undefined): (key: string) => boolean {
    if (ms === undefined) return () => true;
    const time = timeText(ms);
    return this.#range.newestFirst
      ? (key) => key.slice(0, time.length) > time
      : (key) => key < time;
  }

  /** How many messages are known of that may come before a time. */
  #countBefore(ms: number): number {
    const isBefore = (reference: Reference) =>
      this.#range.newestFirst ? reference.lastMs > ms : reference.firstMs < ms;
    let count = this.#countFound(ms);
    for (const reference of this.#references) if (isBefore(reference)) count += reference.count;
    return count;
  }

  /** How many have been read that come before a time. */
  #countFound(ms: number | undefined): number {
    const isBefore = this.#isBefore(ms);
    let count = 0;
    for (const key of this.#found.keys()) if (isBefore(key)) count++;
    return count;
  }

  #nearEnd({ firstMs, lastMs }: Reference): number {
    return this.#range.newestFirst ? lastMs : firstMs;
  }

  #sort(): void {
    const sign = this.#range.newestFirst ? -1 : 1;
    this.#places.sort((a, b) => sign * (a.firstMs - b.firstMs));
    this.#references.sort((a, b) => sign * (this.#nearEnd(a) - this.#nearEnd(b)));
  }
}

function placeOf(reader: TopicReader): Place {
  return { firstMs: reader.boundMs, reader };
}

/** The times of a range of sort keys, which are `time#id`. */
function wantedOf(topic: string, { low, high, after, newestFirst }: SortKeyRange): Wanted {
  const lowMs = msOf(newestFirst ? low : (after ?? low), 0);
  const highMs = msOf(newestFirst ? (after ?? high) : high, endOfTime);
  return { topic, fromMs: lowMs, toMs: highMs, newestFirst };
}

/** Where a range has no end. */
const endOfTime = Number.MAX_SAFE_INTEGER;

const millisecondsLength = '2026-01-01T00:00:00.000'.length;

/** The millisecond of a sort key, or `otherwise` where it is none of a message. */
function msOf(key: string, otherwise: number): number {
  if (key.length < millisecondsLength) return otherwise;
  const ms = Date.parse(`${key.slice(0, millisecondsLength)}Z`);
  return Number.isNaN(ms) ? otherwise : ms;
}
