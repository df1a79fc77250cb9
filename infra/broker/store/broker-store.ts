// What survives the process: sessions, queues, retained messages and wills, under keys that are texts.
import type { Write as LevelWrite } from '../../level/level.ts';
import { LevelStore, type LevelStoreOptions } from '../../level/level-store.ts';
import { levelDbNames, makePrivate } from '../../level/private-folder.ts';

export type Write = LevelWrite<string>;

export type StoreOptions = Pick<LevelStoreOptions, 'sync' | 'onTrouble'>;

export class Store {
  readonly #level: LevelStore<string>;

  private constructor(level: LevelStore<string>) {
    this.#level = level;
  }

  /** Rejects where another process has the folder (LEVEL_LOCKED). */
  static async open(folder: string, options: StoreOptions = {}): Promise<Store> {
    makePrivate(folder, levelDbNames);
    return new Store(await LevelStore.openTexts(folder, options));
  }

  /** Why it takes no writes at the moment, such as a full disk; undefined where it does. */
  get trouble(): string | undefined {
    return this.#level.trouble;
  }

  /** As {@link LevelStore.write}. */
  write(...writes: readonly Write[]): Promise<void> {
    return this.#level.write(...writes);
  }

  /** Resolves when everything written so far is done. */
  settled(): Promise<void> {
    return this.#level.settled();
  }

  /** Entries whose key starts with `prefix`, which ends with a colon, in the order of their keys. */
  entries(prefix: string, from = prefix): AsyncIterable<[string, Buffer]> {
    return this.#level.entries({ gte: from, lt: `${prefix.slice(0, -1)};` });
  }

  get(key: string): Buffer | undefined {
    return this.#level.get(key);
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}

/** Part of a key that a client or a topic chose; what it contains cannot end it. */
export const keyPart = (text: string) => encodeURIComponent(text);

/** A number that sorts as text. */
export const keyNumber = (value: number) => value.toString().padStart(16, '0');
