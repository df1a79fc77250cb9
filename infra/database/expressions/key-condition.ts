// Key conditions of a query: which partition, and which range of its sort keys.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { refusal } from '../values/errors.ts';
import type { Placeholders } from './placeholders.ts';
import { Tokens } from './tokens.ts';

/** One condition on a key; `BETWEEN` has two values, the others one. */
interface KeyTerm {
  readonly path: string;
  readonly is: '=' | '<' | '<=' | '>' | '>=' | 'BETWEEN' | 'begins_with';
  readonly values: readonly string[];
}

export type KeyCondition = readonly KeyTerm[];

/** The sort keys that are asked for: `begins`, or from `low` to `high`, with the ends or without. */
export interface SortRange {
  readonly low?: AttributeValue | undefined;
  readonly isLowOut?: boolean;
  readonly high?: AttributeValue | undefined;
  readonly isHighOut?: boolean;
  readonly begins?: AttributeValue | undefined;
}

export interface KeyRange extends SortRange {
  readonly partition: AttributeValue;
}

const field = 'KeyConditionExpression';

/** Throws a ValidationException where it is not of the form that DynamoDB takes. */
export function parseKeyCondition(text: string): KeyCondition {
  const tokens = new Tokens(text, field);
  const terms: KeyTerm[] = [];
  do terms.push(parseTerm(tokens));
  while (tokens.take('AND'));
  tokens.expectEnd();
  return terms;
}

function parseTerm(tokens: Tokens): KeyTerm {
  if (tokens.take('(')) {
    const term = parseTerm(tokens);
    tokens.expect(')');
    return term;
  }
  const path = tokens.path();
  if (path === 'begins_with' && tokens.take('(')) {
    const of = tokens.path();
    tokens.expect(',');
    const values = [valueIn(tokens)];
    tokens.expect(')');
    return { path: of, is: 'begins_with', values };
  }
  if (tokens.take('BETWEEN')) {
    const low = valueIn(tokens);
    tokens.expect('AND');
    return { path, is: 'BETWEEN', values: [low, valueIn(tokens)] };
  }
  const symbol = tokens.next();
  if (!['=', '<', '<=', '>', '>='].includes(symbol.text)) throw tokens.syntaxFault(symbol);
  return { path, is: symbol.text as KeyTerm['is'], values: [valueIn(tokens)] };
}

function valueIn(tokens: Tokens): string {
  const token = tokens.next();
  if (token.kind !== 'value') throw tokens.syntaxFault(token);
  return token.text;
}

/** Fills in the placeholders. Throws a ValidationException where it does not fit the table's keys. */
export function bindKeyCondition(
  terms: KeyCondition,
  placeholders: Placeholders,
  { partitionKey, sortKey }: { readonly partitionKey: string; readonly sortKey: string },
): KeyRange {
  let partition: AttributeValue | undefined;
  let range: SortRange = {};
  const seen = new Set<string>();
  for (const { path, is, values } of terms) {
    const name = placeholders.attribute(path);
    const [first, second] = values.map((value) => placeholders.value(value));
    if (seen.has(name)) throw refusal(`${field}s must only contain one condition per key`);
    seen.add(name);
    if (name === partitionKey && is === '=') partition = first;
    else if (name === sortKey) range = rangeOf(is, first, second);
    else throw refusal('Query key condition not supported');
  }
  if (partition === undefined)
    throw refusal(`Query condition missed key schema element: ${partitionKey}`);
  return { partition, ...range };
}

function rangeOf(
  is: KeyTerm['is'],
  first: AttributeValue | undefined,
  second: AttributeValue | undefined,
): SortRange {
  switch (is) {
    case '=':
      return { low: first, high: first };
    case '<':
    case '<=':
      return { high: first, isHighOut: is === '<' };
    case '>':
    case '>=':
      return { low: first, isLowOut: is === '>' };
    case 'BETWEEN':
      return { low: first, high: second };
    default:
      return { begins: first };
  }
}
