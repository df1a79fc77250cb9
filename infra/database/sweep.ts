// Deletes what has expired, a bounded step at a time, and gives its room back to the disk.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { LevelStore } from '../level/level-store.ts';
import { type Expiry, itemsOfExpiry } from './expiries.ts';
import { deletionOf, expirySecondsOf, type Items, type NextState } from './items.ts';
import { expiriesOf, expiriesUntil, itemsOf, keyAfter } from './keys.ts';
import type { Table, Tables } from './tables.ts';
import { itemBytes } from './values/attribute-values.ts';

export interface SweepOptions {
  readonly store: LevelStore<Buffer>;
  readonly tables: Tables;
  readonly items: Items;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Between two rounds, in milliseconds. */
  readonly everyMs: number;
  readonly log?: Logger | undefined;
}

/** Entries that are looked at in one step, of up to 25 items each: some milliseconds of the event loop. */
const stepSize = 20;
/** The sweep rests as long as its step took, and this at least: it takes at most half of a core, and less where nothing is due. */
const minRestMs = 5;
/**
 * LevelDB frees what is deleted as it sorts, by and by. Where so much of a table is gone it is all sorted at once: what
 * that costs stays in proportion to what it frees, however large the table is.
 */
const compactFromBytes = 16 * 1024 * 1024;
const compactFromShare = 1 / 4;

export class Sweep {
  readonly #options: SweepOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** By table: what has been deleted since it was sorted. */
  readonly #freedBytes = new Map<string, number>();

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { tables, store, everyMs, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      await this.#rest(everyMs);
      if (this.#stop.signal.aborted || store.trouble !== undefined) continue;
      try {
        for (const table of tables.all()) await this.#sweep(table);
      } catch (error) {
        // A disk that is full, or being opened again: the next round goes on.
        log?.warn({ reason: String(error) }, 'expired items could not be deleted');
      }
    }
  }

  async #sweep(table: Table): Promise<void> {
    if (table.expiryAttribute === undefined) return;
    const { store, now } = this.#options;
    let deleted = 0;
    const { lt, gte: first } = expiriesUntil(table.name, Math.floor(now() / 1000));
    let gte = first;
    while (!this.#stop.signal.aborted) {
      const startedMs = performance.now();
      const entries = await store.all({ gte, lt, limit: stepSize });
      const last = entries.at(-1);
      if (last === undefined) break;
      // LevelDB would go through all that has been deleted, again and again.
      gte = keyAfter(last[0]);
      deleted += await this.#delete(
        table,
        entries.map(([key, value]) => ({ key, value })),
      );
      await this.#rest(Math.max(minRestMs, performance.now() - startedMs));
    }
    if (deleted > 0)
      this.#options.log?.debug({ table: table.name, deleted }, 'expired items deleted');
    await this.#compact(table);
  }

  async #compact({ name }: Table): Promise<void> {
    const { store } = this.#options;
    const freedBytes = this.#freedBytes.get(name) ?? 0;
    if (freedBytes < compactFromBytes) return;
    if (freedBytes < compactFromShare * (await store.bytesOnDisk(itemsOf(name)))) return;
    this.#freedBytes.delete(name);
    for (const span of [itemsOf(name), expiriesOf(name)]) await store.compact(span);
  }

  /** Deletes the items that the entries stand for, if they are still to go, and the entries. */
  async #delete(table: Table, entries: readonly Expiry[]): Promise<number> {
    const { store, items, now } = this.#options;
    const gone: NextState[] = [];
    let freedBytes = 0;
    const keys = entries.flatMap((entry) => itemsOfExpiry(table, entry));
    await store.prefetch(keys);
    for (const key of keys) {
      // A later write may have given the item another time, and an entry of its own.
      const item = items.latest(key);
      const seconds = item && expirySecondsOf(table, item);
      if (item === undefined || seconds === undefined || seconds * 1000 > now()) continue;
      freedBytes += itemBytes(item);
      gone.push(deletionOf(table, key));
    }
    // In one batch: without its entry an item would stay for ever.
    const deleting = items.write(gone);
    const forgetting = store.write(...entries.map(({ key }) => ({ type: 'del' as const, key })));
    await Promise.all([deleting, forgetting]);
    this.#freedBytes.set(table.name, (this.#freedBytes.get(table.name) ?? 0) + freedBytes);
    return gone.length;
  }

  async #rest(ms: number): Promise<void> {
    await pause(ms, this.#stop.signal, { ref: false });
  }
}
