// What survives the process: one LevelDB folder, written in batches in the order of the writes, and opened again after a
// disk that was full, read-only or out of files. A finished write survives SIGKILL. A power cut can take the last of
// them, unless each batch is forced to the disk.
import { mkdirSync } from 'node:fs';
import { pause } from '../../functions/contract/pause.ts';
import { proveRoom } from './disk-room.ts';
import { Level, type Write } from './level.ts';

interface Batch<Key> {
  readonly writes: Write<Key>[];
  readonly done: Promise<void>;
  readonly settle: (error?: unknown) => void;
}

/** What is read and how; the library's own. */
export interface Range<Key> {
  readonly gte: Key;
  readonly lt: Key;
  readonly reverse?: boolean;
  /** Entries at most; default all. */
  readonly limit?: number;
}

export interface LevelStoreOptions {
  /** Writes are finished when the disk says so (fsync); default false. */
  readonly sync?: boolean;
  /** Bytes that are kept in memory before they are sorted onto the disk; default LevelDB's 4 MiB. */
  readonly writeBufferBytes?: number;
  /** Told when writing stops, with the reason, and with `undefined` when it goes on. */
  readonly onTrouble?: (reason: string | undefined) => void;
}

/** The store takes no writes, and perhaps no reads, until its disk does. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

/** How often a store that cannot write looks whether it can again. */
const retryMs = 500;

/** Keys are texts or bytes, and sort as bytes. */
export class LevelStore<Key extends string | Buffer> {
  readonly #folder: string;
  readonly #options: LevelStoreOptions;
  #level: Level<Key>;
  readonly #open: () => Level<Key>;
  #batch: Batch<Key> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #trouble: string | undefined;
  readonly #closing = new AbortController();
  #recovery: Promise<void> = Promise.resolve();

  private constructor(folder: string, options: LevelStoreOptions, open: () => Level<Key>) {
    this.#folder = folder;
    this.#options = options;
    this.#open = open;
    this.#level = open();
  }

  /** A store whose keys are texts. Rejects where another process has the folder (LEVEL_LOCKED). */
  static openTexts(folder: string, options: LevelStoreOptions = {}): Promise<LevelStore<string>> {
    return LevelStore.#opened<string>(folder, options, 'utf8');
  }

  /** A store whose keys are bytes. Rejects where another process has the folder (LEVEL_LOCKED). */
  static openBytes(folder: string, options: LevelStoreOptions = {}): Promise<LevelStore<Buffer>> {
    return LevelStore.#opened<Buffer>(folder, options, 'buffer');
  }

  static async #opened<Key extends string | Buffer>(
    folder: string,
    options: LevelStoreOptions,
    keyEncoding: 'utf8' | 'buffer',
  ): Promise<LevelStore<Key>> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const store = new LevelStore<Key>(
      folder,
      options,
      () =>
        new Level<Key>(folder, {
          keyEncoding,
          valueEncoding: 'buffer',
          ...(options.writeBufferBytes !== undefined && {
            writeBufferSize: options.writeBufferBytes,
          }),
        }),
    );
    await store.#level.open();
    return store;
  }

  /** Why it does not write at the moment; undefined where it does. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /**
   * Writes all or nothing, together with what else was written meanwhile; resolves when that is done. Rejects with
   * {@link StoreUnavailable}, also for what was written after the batch that failed, so that no write can be kept that
   * builds on one that was not. The rejection may be ignored by a caller that does not depend on it.
   */
  write(...writes: readonly Write<Key>[]): Promise<void> {
    if (this.#trouble !== undefined) {
      const refused = Promise.reject(new StoreUnavailable(this.#trouble));
      refused.catch(() => {});
      return refused;
    }
    const batch = this.#batch ?? this.#newBatch();
    for (const write of writes) batch.writes.push(write);
    return batch.done;
  }

  /** Resolves when everything written so far is done. */
  async settled(): Promise<void> {
    await this.#batch?.done.catch(() => {});
    await this.#writing;
  }

  /** What is there now, read at once: a lookup takes microseconds, less than a turn of the event loop. */
  get(key: Key): Buffer | undefined {
    try {
      return this.#level.getSync(key);
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** Reads entries into LevelDB's cache beside the event loop, so that {@link get} finds them there. */
  async prefetch(keys: readonly Key[]): Promise<void> {
    try {
      await this.#level.getMany([...keys]);
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** Entries in the order of their keys, read in steps. */
  async *entries(range: Range<Key>): AsyncGenerator<[Key, Buffer]> {
    for await (const page of this.pages(range, entriesAtOnce)) yield* page;
  }

  /** All entries of a range that has few: one with a limit, for example. */
  async all(range: Range<Key>): Promise<[Key, Buffer][]> {
    const found: [Key, Buffer][] = [];
    for await (const entry of this.entries(range)) found.push(entry);
    return found;
  }

  /** The same, `size` entries at a time at most. */
  async *pages(range: Range<Key>, size: number): AsyncGenerator<[Key, Buffer][]> {
    try {
      // An iterator that is not closed keeps the files that it reads: LevelDB could never delete them.
      await using iterator = this.#level.iterator({ ...range, limit: range.limit ?? -1 });
      while (true) {
        const page = await iterator.nextv(size);
        if (page.length === 0) return;
        yield page;
      }
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** About how much a range takes on disk, what was deleted and is not yet sorted out included. */
  bytesOnDisk({ gte, lt }: Range<Key>): Promise<number> {
    return this.#level.approximateSize(gte, lt);
  }

  /** Gives the room of what was deleted in a range back to the disk. */
  async compact({ gte, lt }: Range<Key>): Promise<void> {
    await this.#level.compactRange(gte, lt);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
    await this.#recovery;
    await this.#level.close();
  }

  #newBatch(): Batch<Key> {
    let settle: Batch<Key>['settle'] = () => {};
    const done = new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    done.catch(() => {});
    const batch: Batch<Key> = { writes: [], done, settle };
    this.#batch = batch;
    this.#writing = this.#writing.then(async () => {
      // What arrives in the same turn of the event loop shares the batch.
      await new Promise((resolve) => setImmediate(resolve));
      this.#batch = undefined;
      if (this.#trouble !== undefined) return batch.settle(new StoreUnavailable(this.#trouble));
      try {
        await this.#level.writeAll(batch.writes, this.#options.sync ?? false);
        batch.settle();
      } catch (error) {
        this.#fail(reasonOf(error));
        batch.settle(new StoreUnavailable(this.#trouble, { cause: error }));
      }
    });
    return batch;
  }

  /** LevelDB takes no write after one that failed, until it is opened again. */
  #fail(reason: string): void {
    this.#trouble = reason;
    this.#options.onTrouble?.(reason);
    this.#recovery = this.#recover();
  }

  async #recover(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await pause(retryMs, this.#closing.signal);
      try {
        // Readers keep the store that cannot write for as long as another could not either.
        if (this.#level.status === 'open') await proveRoom(this.#folder);
        await this.#level.close();
        this.#level = this.#open();
        await this.#level.open();
        this.#trouble = undefined;
        this.#options.onTrouble?.(undefined);
        return;
      } catch (error) {
        this.#trouble = reasonOf(error);
      }
    }
  }

  #unreadable(error: unknown): unknown {
    const code = (error as { readonly code?: string }).code;
    const isClosed = code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN';
    if (!isClosed && code !== 'LEVEL_IO_ERROR') return error;
    return new StoreUnavailable(this.#trouble ?? reasonOf(error), { cause: error });
  }
}

const entriesAtOnce = 100;

/** The innermost reason: the library wraps what LevelDB says of the disk. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? reasonOf(cause) : message;
}
