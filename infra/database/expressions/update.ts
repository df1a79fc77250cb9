// Update expressions: SET, REMOVE and ADD of whole attributes, and the item that comes of them.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Item } from '../values/attribute-values.ts';
import { refusal } from '../values/errors.ts';
import { addNumbers, negated } from '../values/numbers.ts';
import type { Placeholders } from './placeholders.ts';
import { Tokens } from './tokens.ts';

type Operand =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'value'; readonly placeholder: string }
  | { readonly kind: 'if_not_exists'; readonly path: string; readonly otherwise: Operand }
  | { readonly kind: 'list_append'; readonly first: Operand; readonly second: Operand };

type Action =
  | {
      readonly kind: 'set';
      readonly path: string;
      readonly first: Operand;
      readonly second?: Operand;
      readonly isMinus: boolean;
    }
  | { readonly kind: 'add'; readonly path: string; readonly placeholder: string }
  | { readonly kind: 'remove'; readonly path: string };

export type Update = readonly Action[];

const field = 'UpdateExpression';
const clauses = { SET: parseSet, REMOVE: parseRemove, ADD: parseAdd };

/** Throws a ValidationException where it is not in the language, or uses a part of it that is not known here. */
export function parseUpdate(text: string): Update {
  const tokens = new Tokens(text, field);
  const actions: Action[] = [];
  const seen = new Set<string>();
  while (tokens.peek().kind !== 'end') {
    const token = tokens.next();
    const clause = token.text.toUpperCase();
    const parse = clauses[clause as keyof typeof clauses];
    if (clause === 'DELETE') throw tokens.fault('DELETE is not supported by the embedded table;');
    if (parse === undefined) throw tokens.syntaxFault(token);
    if (seen.has(clause))
      throw tokens.fault(`The "${clause}" section can only be used once in an update expression;`);
    seen.add(clause);
    do actions.push(parse(tokens));
    while (tokens.take(','));
  }
  return actions;
}

function parseSet(tokens: Tokens): Action {
  const path = tokens.path();
  tokens.expect('=');
  const first = parseOperand(tokens);
  const isMinus = tokens.isSymbol('-');
  if (!isMinus && !tokens.isSymbol('+')) return { kind: 'set', path, first, isMinus: false };
  tokens.next();
  return { kind: 'set', path, first, second: parseOperand(tokens), isMinus };
}

function parseRemove(tokens: Tokens): Action {
  return { kind: 'remove', path: tokens.path() };
}

function parseAdd(tokens: Tokens): Action {
  const path = tokens.path();
  const token = tokens.next();
  if (token.kind !== 'value') throw tokens.syntaxFault(token);
  return { kind: 'add', path, placeholder: token.text };
}

function parseOperand(tokens: Tokens): Operand {
  if (tokens.peek().kind === 'value') return { kind: 'value', placeholder: tokens.next().text };
  const path = tokens.path();
  if (!tokens.isSymbol('(')) return { kind: 'path', path };
  if (path === 'if_not_exists') {
    tokens.expect('(');
    const of = tokens.path();
    tokens.expect(',');
    const otherwise = parseOperand(tokens);
    tokens.expect(')');
    return { kind: 'if_not_exists', path: of, otherwise };
  }
  if (path !== 'list_append')
    throw tokens.fault(
      `Invalid function name; function: ${path} is not known to the embedded table;`,
    );
  tokens.expect('(');
  const first = parseOperand(tokens);
  tokens.expect(',');
  const second = parseOperand(tokens);
  tokens.expect(')');
  return { kind: 'list_append', first, second };
}

/** What an item becomes. Throws a ValidationException where that cannot be, such as a sum of texts. */
export type Change = (item: Item) => Item;

type Read = (item: Item) => AttributeValue;

/** Fills in the placeholders. Two actions on one attribute, and any on a key of `keyNames`, are refused. */
export function bindUpdate(
  update: Update,
  placeholders: Placeholders,
  keyNames: readonly string[],
): Change {
  const touched = new Set<string>();
  const steps = update.map((action) => {
    const name = placeholders.attribute(action.path);
    if (keyNames.includes(name))
      throw refusal(
        `One or more parameter values were invalid: Cannot update attribute ${name}. This attribute is part of the key`,
      );
    if (touched.has(name))
      throw refusal(
        `Invalid ${field}: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [${name}], path two: [${name}]`,
      );
    touched.add(name);
    return stepOf(action, name, placeholders);
  });
  return (before) => {
    const after = { ...before };
    // Each reads the item as it was before all of them.
    for (const step of steps) step(before, after);
    return after;
  };
}

function stepOf(
  action: Action,
  name: string,
  placeholders: Placeholders,
): (before: Item, after: Item) => void {
  if (action.kind === 'remove')
    return (_, after) => {
      delete after[name];
    };
  if (action.kind === 'add') {
    const value = placeholders.value(action.placeholder);
    if (value.N === undefined)
      throw refusal(
        `Invalid ${field}: Incorrect operand type for operator or function; operator: ADD, the embedded table adds numbers only`,
      );
    return (before, after) => {
      after[name] = sum(before[name] ?? { N: '0' }, value);
    };
  }
  const first = bindOperand(action.first, placeholders);
  const { second, isMinus } = action;
  if (second === undefined)
    return (before, after) => {
      after[name] = first(before);
    };
  const other = bindOperand(second, placeholders);
  return (before, after) => {
    const value = other(before);
    const isNumber = value.N !== undefined;
    after[name] = sum(first(before), isMinus && isNumber ? { N: negated(value.N) } : value);
  };
}

function bindOperand(operand: Operand, placeholders: Placeholders): Read {
  if (operand.kind === 'value') {
    const value = placeholders.value(operand.placeholder);
    return () => value;
  }
  if (operand.kind === 'list_append') {
    const first = bindOperand(operand.first, placeholders);
    const second = bindOperand(operand.second, placeholders);
    return (item) => joined(first(item), second(item));
  }
  const name = placeholders.attribute(operand.path);
  if (operand.kind === 'path')
    return (item) => {
      const value = item[name];
      if (value === undefined)
        throw refusal(
          'The provided expression refers to an attribute that does not exist in the item',
        );
      return value;
    };
  const otherwise = bindOperand(operand.otherwise, placeholders);
  return (item) => item[name] ?? otherwise(item);
}

function joined(a: AttributeValue, b: AttributeValue): AttributeValue {
  if (a.L === undefined || b.L === undefined)
    throw refusal('An operand in the update expression has an incorrect data type');
  return { L: [...a.L, ...b.L] };
}

function sum(a: AttributeValue, b: AttributeValue): AttributeValue {
  if (a.N === undefined || b.N === undefined)
    throw refusal('An operand in the update expression has an incorrect data type');
  try {
    return { N: addNumbers(a.N, b.N) };
  } catch (error) {
    if (error instanceof RangeError) throw refusal(error.message);
    throw error;
  }
}
