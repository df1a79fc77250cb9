// What survives the process: one LevelDB folder, written in batches in the order of the writes.
// A finished write survives SIGKILL. A power cut can take the last of them, unless each batch is forced to the disk.
import { mkdirSync } from 'node:fs';
import { Level } from 'level';

export type Write =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: string };

interface Batch {
  readonly writes: Write[];
  readonly done: Promise<void>;
  readonly settle: (error?: unknown) => void;
}

export interface StoreOptions {
  /** Writes are finished when the disk says so (fsync); default false. */
  readonly sync?: boolean;
  /** Told of each write that failed: of a full disk, for one. */
  readonly onFailure?: (error: unknown) => void;
}

export class Store {
  readonly #level: Level<string, Buffer>;
  readonly #sync: boolean;
  readonly #onFailure: (error: unknown) => void;
  #batch: Batch | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(level: Level<string, Buffer>, { sync, onFailure }: StoreOptions) {
    this.#level = level;
    this.#sync = sync ?? false;
    this.#onFailure = onFailure ?? (() => {});
  }

  /** Rejects where another process has the folder (LEVEL_LOCKED). */
  static async open(folder: string, options: StoreOptions = {}): Promise<Store> {
    mkdirSync(folder, { recursive: true });
    const level = new Level<string, Buffer>(folder, { valueEncoding: 'buffer' });
    await level.open();
    return new Store(level, options);
  }

  /**
   * Writes all or nothing, together with what else was written meanwhile; resolves when that is done. The rejection
   * may be ignored by who does not depend on it.
   */
  write(...writes: readonly Write[]): Promise<void> {
    const batch = this.#batch ?? this.#newBatch();
    batch.writes.push(...writes);
    return batch.done;
  }

  /** Resolves when everything written so far is done. */
  async settled(): Promise<void> {
    await this.#batch?.done.catch(() => {});
    await this.#writing;
  }

  /** Entries whose key starts with `prefix`, which ends with a colon, in the order of their keys. */
  entries(prefix: string, from = prefix): AsyncIterable<[string, Buffer]> {
    return this.#level.iterator({ gte: from, lt: `${prefix.slice(0, -1)};` });
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#level.get(key);
  }

  async close(): Promise<void> {
    await this.settled();
    await this.#level.close();
  }

  #newBatch(): Batch {
    let settle: Batch['settle'] = () => {};
    const done = new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    done.catch(this.#onFailure);
    const batch: Batch = { writes: [], done, settle };
    this.#batch = batch;
    this.#writing = this.#writing.then(async () => {
      // What arrives in the same turn of the event loop shares the batch.
      await new Promise((resolve) => setImmediate(resolve));
      this.#batch = undefined;
      await this.#level
        .batch(batch.writes, { sync: this.#sync })
        .then(() => batch.settle(), batch.settle);
    });
    return batch;
  }
}

/** Part of a key that a client or a topic chose; what it contains cannot end it. */
export const keyPart = (text: string) => encodeURIComponent(text);

/** A number that sorts as text. */
export const keyNumber = (value: number) => value.toString().padStart(16, '0');
