// LevelDB as the store calls it.
import { ClassicLevel } from 'classic-level';

export type Write<Key> =
  | { readonly type: 'put'; readonly key: Key; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Key };

/**
 * LevelDB without what its wrapper does for each single write: two copies and a look at its encodings, 6 µs. Keys and
 * values are in the form that the inner call takes, which is documented for implementors.
 */
export class Level<Key extends string | Buffer> extends ClassicLevel<Key, Buffer> {
  declare protected _batch: (
    writes: readonly Write<Key>[],
    options: { readonly sync: boolean },
  ) => Promise<void>;

  async writeAll(writes: readonly Write<Key>[], sync: boolean): Promise<void> {
    if (this.status !== 'open') throw new Error('the store is not open');
    await this._batch(writes, { sync });
  }
}
