// What DynamoDB's attribute values are: which are valid, how large they count, which are alike, and how they sort.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { canonicalNumber, compareNumbers, numberFault } from './numbers.ts';

export type Item = Record<string, AttributeValue>;

/** A value's type and content; the SDK has one field for each type, of which one is set. */
export function typeOf(value: AttributeValue): keyof AttributeValue.Visitor<unknown> {
  for (const type in value) {
    if (value[type as keyof AttributeValue] !== undefined)
      return type as keyof AttributeValue.Visitor<unknown>;
  }
  return '_';
}

const maxDepth = 32;

const noType =
  'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes';

/** Why DynamoDB would not store the value; undefined where it would. */
export function valueFault(value: AttributeValue | undefined, depth = 0): string | undefined {
  if (value === undefined || value === null || typeof value !== 'object') return noType;
  let type: string | undefined;
  for (const name in value) {
    if (value[name as keyof AttributeValue] == null) continue;
    if (type !== undefined)
      return 'Supplied AttributeValue has more than one datatypes set, must contain only one of the supported datatypes';
    type = name;
  }
  if (depth > maxDepth) return 'Nesting Levels have exceeded supported limits';
  switch (type) {
    case 'S':
    case 'B':
    case 'BOOL':
      return undefined;
    case 'N':
      return numberFault(value.N ?? '');
    case 'M':
      return firstFault(Object.values(value.M ?? {}), depth + 1);
    case 'L':
      return firstFault(value.L ?? [], depth + 1);
    case 'NULL':
      return value.NULL === true
        ? undefined
        : 'One or more parameter values were invalid: Null attribute value types must have the value of true';
    case 'SS':
    case 'NS':
    case 'BS':
      return setFault(value.SS ?? value.NS ?? value.BS ?? [], type === 'NS');
    default:
      return noType;
  }
}

function firstFault(values: readonly AttributeValue[], depth: number): string | undefined {
  for (const value of values) {
    const fault = valueFault(value, depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function setFault(members: readonly (string | Uint8Array)[], areNumbers: boolean) {
  if (members.length === 0)
    return 'One or more parameter values were invalid: An set may not be empty';
  const texts = members.map(memberText);
  if (areNumbers) {
    const fault = texts.map(numberFault).find((found) => found !== undefined);
    if (fault !== undefined) return fault;
  }
  const distinct = new Set(areNumbers ? texts.map(canonicalNumber) : texts);
  return distinct.size === members.length
    ? undefined
    : 'One or more parameter values were invalid: Input collection contains duplicates';
}

function memberText(member: string | Uint8Array): string {
  return typeof member === 'string' ? member : Buffer.from(member).toString('latin1');
}

/** Bytes that an item counts as, by DynamoDB's rules ("Item sizes and formats" of the Developer Guide). */
export function itemBytes(item: Item): number {
  let bytes = 0;
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) bytes += Buffer.byteLength(name) + valueBytes(value);
  }
  return bytes;
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.byteLength;
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemBytes(value.M);
  if (value.L !== undefined) return value.L.reduce((sum, each) => sum + 1 + valueBytes(each), 3);
  if (value.SS !== undefined)
    return value.SS.reduce((sum, each) => sum + Buffer.byteLength(each), 0);
  if (value.NS !== undefined) return value.NS.reduce((sum, each) => sum + numberBytes(each), 0);
  if (value.BS !== undefined) return value.BS.reduce((sum, each) => sum + each.byteLength, 0);
  return 1;
}

/** About a byte for two digits, and one more. */
function numberBytes(text: string): number {
  const digits = text
    .replace(/[^0-9]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '').length;
  return 1 + Math.ceil(digits / 2) + (text.startsWith('-') ? 1 : 0);
}

/** Whether two values are the same; sets in any order, numbers by value. */
export function isSame(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  switch (type) {
    case 'S':
      return a.S === b.S;
    case 'N':
    case 'B':
      return compare(a, b) === 0;
    case 'BOOL':
      return a.BOOL === b.BOOL;
    case 'L':
      return (
        a.L?.length === b.L?.length && !!a.L?.every((each, at) => isSame(each, b.L?.[at] ?? each))
      );
    case 'M': {
      const names = Object.keys(a.M ?? {});
      return (
        names.length === Object.keys(b.M ?? {}).length &&
        names.every((name) => {
          const [left, right] = [a.M?.[name], b.M?.[name]];
          return left !== undefined && right !== undefined && isSame(left, right);
        })
      );
    }
    case 'SS':
    case 'NS':
    case 'BS': {
      const members = new Set(setTexts(a));
      const others = setTexts(b);
      return members.size === others.length && others.every((other) => members.has(other));
    }
    default:
      return true;
  }
}

/** The members of a set as comparable text. */
export function setTexts(value: AttributeValue): string[] {
  if (value.NS !== undefined) return value.NS.map(canonicalNumber);
  return (value.SS ?? value.BS ?? []).map(memberText);
}

/** How two texts, numbers or bytes sort; undefined where they are of two types or have no order. */
export function compare(a: AttributeValue, b: AttributeValue): number | undefined {
  if (a.S !== undefined && b.S !== undefined) return compareTexts(a.S, b.S);
  if (a.N !== undefined && b.N !== undefined) return compareNumbers(a.N, b.N);
  if (a.B !== undefined && b.B !== undefined) return Buffer.compare(a.B, b.B);
  return undefined;
}

/** By UTF-8 bytes, as DynamoDB sorts; JavaScript compares UTF-16, which differs above U+D7FF. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
