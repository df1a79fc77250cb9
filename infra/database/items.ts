// The items of the tables: as they are on disk, and as they will be once the writes that are under way are done. What
// decides on an item reads the latter, so that two conditional writes in a row cannot both find the item of before.
import type { Write } from '../level/level.ts';
import type { LevelStore } from '../level/level-store.ts';
import { expiryOf } from './expiries.ts';
import { decodeItem, encodeItem } from './item-codec.ts';
import { keyName } from './keys.ts';
import type { Table } from './tables.ts';
import { type Item, itemBytes, valueFault } from './values/attribute-values.ts';
import { refusal } from './values/errors.ts';

/** DynamoDB's limit on an item. */
const maxItemBytes = 400 * 1024;

/** One item's next state, as it will be on disk. */
export interface NextState {
  readonly table: Table;
  readonly key: Buffer;
  /** The key as text, to tell items apart by. */
  readonly name: string;
  /** Undefined where the item is deleted. */
  readonly bytes: Buffer | undefined;
  readonly expiresAtSeconds: number | undefined;
}

/** Throws a ValidationException where DynamoDB would not store the item. */
export function stateOf(table: Table, key: Buffer, item: Item): NextState {
  for (const name in item) {
    if (name === '') throw refusal('Attribute names must not be empty');
    const fault = valueFault(item[name]);
    if (fault !== undefined) throw refusal(fault);
  }
  const bytes = encodeItem(item);
  // DynamoDB counts no more than that as half again: only large ones have to be counted.
  if (bytes.length > maxItemBytes / 2 && itemBytes(item) > maxItemBytes)
    throw refusal('Item size has exceeded the maximum allowed size');
  return { table, key, name: keyName(key), bytes, expiresAtSeconds: expirySecondsOf(table, item) };
}

export function deletionOf(table: Table, key: Buffer): NextState {
  return { table, key, name: keyName(key), bytes: undefined, expiresAtSeconds: undefined };
}

export class Items {
  readonly #store: LevelStore<Buffer>;
  /** By key: what a write under way makes of the item, and when it is done. */
  readonly #pending = new Map<
    string,
    { readonly state: NextState; readonly done: Promise<void> }
  >();

  constructor(store: LevelStore<Buffer>) {
    this.#store = store;
  }

  /** The item on disk: what a finished write has left. */
  stored(key: Buffer): Item | undefined {
    const bytes = this.#store.get(key);
    return bytes && decodeItem(bytes);
  }

  /** The item once all writes that have begun are done. If one of them fails, so does each that comes after it. */
  latest(key: Buffer): Item | undefined {
    const pending = this.#pending.size === 0 ? undefined : this.#pending.get(keyName(key));
    if (pending === undefined) return this.stored(key);
    return pending.state.bytes && decodeItem(pending.state.bytes);
  }

  /**
   * Resolves when what {@link latest} gave is on disk. To be awaited before a condition is said to have failed because of
   * it: a caller that is told so will read the item, and has to find it.
   */
  async landed(key: Buffer): Promise<void> {
    await this.#pending.get(keyName(key))?.done;
  }

  /** Writes all of them or none; resolves when that is done. */
  async write(states: readonly NextState[]): Promise<void> {
    const writes: Write<Buffer>[] = states.map(({ key, bytes }) =>
      bytes === undefined ? { type: 'del', key } : { type: 'put', key, value: bytes },
    );
    // Earlier ones of these items stay: the sweep looks at the item, and finds that it is not to go yet.
    for (const expiry of expiriesOf(states)) writes.push({ type: 'put', ...expiry });
    const done = this.#store.write(...writes);
    for (const state of states) this.#pending.set(state.name, { state, done });
    try {
      await done;
    } finally {
      for (const state of states)
        if (this.#pending.get(state.name)?.state === state) this.#pending.delete(state.name);
    }
  }
}

function* expiriesOf(states: readonly NextState[]) {
  const bySecond = new Map<Table, Map<number, Buffer[]>>();
  for (const { table, key, expiresAtSeconds } of states) {
    if (expiresAtSeconds === undefined) continue;
    const ofTable = bySecond.get(table) ?? new Map<number, Buffer[]>();
    bySecond.set(table, ofTable);
    const keys = ofTable.get(expiresAtSeconds);
    if (keys === undefined) ofTable.set(expiresAtSeconds, [key]);
    else keys.push(key);
  }
  for (const [table, ofTable] of bySecond)
    for (const [seconds, keys] of ofTable) yield expiryOf(table, seconds, keys);
}

/** The second at which an item may go; undefined where it does not expire. */
export function expirySecondsOf({ expiryAttribute }: Table, item: Item): number | undefined {
  const text = expiryAttribute === undefined ? undefined : item[expiryAttribute]?.N;
  return text === undefined ? undefined : Math.floor(Number(text));
}
