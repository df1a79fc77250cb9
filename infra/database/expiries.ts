// The index of what expires when. An entry stands for the items of one write that expire in one second, so that it costs
// a write of many items little.
import { randomBytes } from 'node:crypto';
import { expiryKey, restOfExpiryKey } from './keys.ts';
import type { Table } from './tables.ts';

export interface Expiry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Tells the entries of this process from those of others before it. */
const run = randomBytes(8);
let entries = 0;

/** An entry for items of a table that all expire in the same second. */
export function expiryOf(table: Table, seconds: number, items: readonly Buffer[]): Expiry {
  const rest = Buffer.alloc(run.length + 6);
  run.copy(rest);
  rest.writeUIntBE(entries++, run.length, 6);
  let bytes = 0;
  for (const item of items) bytes += 2 + item.length;
  const value = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const item of items) {
    at = value.writeUInt16BE(item.length, at);
    at += item.copy(value, at);
  }
  return { key: expiryKey(table.name, seconds, rest), value };
}

/** The keys of the items that an entry stands for. */
export function itemsOfExpiry(table: Table, { key, value }: Expiry): Buffer[] {
  // Earlier entries stand for one item each, whose key is in their own.
  if (value.length === 0) return [restOfExpiryKey(table.name, key)];
  const items: Buffer[] = [];
  for (let at = 0; at < value.length; ) {
    const start = at + 2;
    at = start + value.readUInt16BE(at);
    items.push(value.subarray(start, at));
  }
  return items;
}
