// Where an item lies on disk: keys that LevelDB sorts as DynamoDB sorts a partition, and the index of what expires when.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { SortRange } from './expressions/key-condition.ts';
import type { Item } from './values/attribute-values.ts';
import { refusal } from './values/errors.ts';
import type { KeySchema } from './values/key-schema.ts';

/** First byte of a key: what lies there. Numbers on disk: never change one. */
const kinds = { table: 0x01, item: 0x02, expiry: 0x03 };

const maxPartitionKeyBytes = 2048;
const maxSortKeyBytes = 1024;

/** Half-open: `gte` is in it, `lt` is not. */
export interface KeySpan {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export function tableEntryKey(tableName: string): Buffer {
  return Buffer.concat([Buffer.of(kinds.table), Buffer.from(tableName)]);
}

export function allTables(): KeySpan {
  return { gte: Buffer.of(kinds.table), lt: Buffer.of(kinds.table + 1) };
}

export function tableNameOf(tableEntry: Buffer): string {
  return tableEntry.toString('utf8', 1);
}

/** All items of a table. Its name has a length before it, so that no table's keys stand among another's. */
export function itemsOf(tableName: string): KeySpan {
  return spanOf(tablePrefix(kinds.item, tableName));
}

export function expiriesOf(tableName: string): KeySpan {
  return spanOf(tablePrefix(kinds.expiry, tableName));
}

/** What expires up to a second, itself included. */
export function expiriesUntil(tableName: string, seconds: number): KeySpan {
  const prefix = tablePrefix(kinds.expiry, tableName);
  return { gte: prefix, lt: Buffer.concat([prefix, secondsBytes(seconds + 1)]) };
}

/** The key of an item, checked: texts of the sizes that DynamoDB takes, none empty. */
export function itemKey(tableName: string, schema: KeySchema, item: Item): Buffer {
  const partition = keyText(item, schema.partitionKey);
  const sort = keyText(item, schema.sortKey);
  const partitionBytes = Buffer.byteLength(partition);
  const sortBytes = Buffer.byteLength(sort);
  if (partitionBytes > maxPartitionKeyBytes)
    throw tooLong(schema.partitionKey, maxPartitionKeyBytes);
  if (sortBytes > maxSortKeyBytes) throw tooLong(schema.sortKey, maxSortKeyBytes);
  const key = partitionPrefix(tableName, partition, partitionBytes, sortBytes);
  key.write(sort, key.length - sortBytes);
  return key;
}

/** The key alone, as a call gives it: with no further attribute. */
export function givenKey(tableName: string, schema: KeySchema, key: Item | undefined): Buffer {
  if (Object.keys(key ?? {}).length !== 2)
    throw refusal('The provided key element does not match the schema');
  return itemKey(tableName, schema, key ?? {});
}

/** The part of a partition that a query asks for. */
export function partitionSpan(
  tableName: string,
  partition: AttributeValue,
  { low, isLowOut, high, isHighOut, begins }: SortRange,
): KeySpan {
  const text = textOf(partition, 'partition key');
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPartitionKeyBytes) throw tooLong('partition key', maxPartitionKeyBytes);
  const prefix = partitionPrefix(tableName, text, bytes);
  const at = (value: AttributeValue) =>
    Buffer.concat([prefix, Buffer.from(textOf(value, 'sort key'))]);
  if (begins !== undefined) return spanOf(at(begins));
  const all = spanOf(prefix);
  return {
    gte: low === undefined ? all.gte : isLowOut ? keyAfter(at(low)) : at(low),
    lt: high === undefined ? all.lt : isHighOut ? at(high) : keyAfter(at(high)),
  };
}

/** A key as a map's key: its bytes one by one, as they need not be text. */
export function keyName(key: Buffer): string {
  return key.toString('latin1');
}

/** The first key behind `key`. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

/** Names an entry of the index of what expires by the second at which its items do; `rest` tells entries of one second apart. */
export function expiryKey(tableName: string, seconds: number, rest: Buffer): Buffer {
  return Buffer.concat([tablePrefix(kinds.expiry, tableName), secondsBytes(seconds), rest]);
}

/** What tells an entry from others of its second. */
export function restOfExpiryKey(tableName: string, key: Buffer): Buffer {
  return key.subarray(tablePrefix(kinds.expiry, tableName).length + secondsLength);
}

function tablePrefix(kind: number, tableName: string): Buffer {
  const name = Buffer.from(tableName);
  return Buffer.concat([Buffer.of(kind, name.length), name]);
}

/**
 * What all keys of a partition begin with, and room behind it. A length stands before the partition key too, so that no
 * partition's items stand among another's. Names of tables are ASCII.
 */
function partitionPrefix(tableName: string, partition: string, bytes: number, room = 0): Buffer {
  const start = 2 + tableName.length;
  const prefix = Buffer.allocUnsafe(start + 2 + bytes + room);
  prefix.writeUInt8(kinds.item, 0);
  prefix.writeUInt8(tableName.length, 1);
  prefix.write(tableName, 2, 'latin1');
  prefix.writeUInt16BE(bytes, start);
  prefix.write(partition, start + 2);
  return prefix;
}

/** All keys that begin with `prefix`. */
function spanOf(prefix: Buffer): KeySpan {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  const lt = Buffer.from(prefix.subarray(0, last + 1));
  lt.writeUInt8((lt[last] ?? 0) + 1, last);
  return { gte: prefix, lt };
}

const secondsLength = 6;
const maxSeconds = 2 ** 48 - 2;

function secondsBytes(seconds: number): Buffer {
  const bytes = Buffer.alloc(secondsLength);
  bytes.writeUIntBE(Math.min(Math.max(0, Math.floor(seconds)), maxSeconds), 0, secondsLength);
  return bytes;
}

function keyText(item: Item, name: string): string {
  const value = item[name];
  if (value === undefined)
    throw refusal(`One or more parameter values were invalid: Missing the key ${name} in the item`);
  if (value.S === undefined)
    throw refusal(
      `One or more parameter values were invalid: Type mismatch for key ${name} expected: S`,
    );
  if (value.S === '')
    throw refusal(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    );
  return value.S;
}

function tooLong(name: string, maxBytes: number): Error {
  return refusal(
    `One or more parameter values were invalid: Size of key ${name} has exceeded the maximum size limit of ${maxBytes} bytes`,
  );
}

function textOf(value: AttributeValue, what: string): string {
  if (value.S === undefined)
    throw refusal(
      `One or more parameter values were invalid: Condition parameter type does not match schema type: ${what}`,
    );
  return value.S;
}
