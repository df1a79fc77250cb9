// Condition and filter expressions: parsed once into a tree, and asked of an item.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { compare, type Item, isSame, setTexts, typeOf } from '../values/attribute-values.ts';
import type { Placeholders } from './placeholders.ts';
import { Tokens } from './tokens.ts';

type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** An operand: an attribute, a value, or the size of an attribute. */
type Operand =
  | { readonly kind: 'path' | 'size'; readonly path: string }
  | { readonly kind: 'value'; readonly placeholder: string };

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly condition: Condition }
  | {
      readonly kind: 'comparison';
      readonly is: Comparator;
      readonly left: Operand;
      readonly right: Operand;
    }
  | {
      readonly kind: 'between';
      readonly operand: Operand;
      readonly low: Operand;
      readonly high: Operand;
    }
  | { readonly kind: 'in'; readonly operand: Operand; readonly choices: readonly Operand[] }
  | FunctionCall;

type FunctionCall =
  | { readonly kind: 'exists'; readonly path: string }
  | { readonly kind: 'missing'; readonly path: string }
  | { readonly kind: 'has type'; readonly path: string; readonly operand: Operand }
  | { readonly kind: 'begins'; readonly path: string; readonly operand: Operand }
  | { readonly kind: 'contains'; readonly path: string; readonly operand: Operand };

const comparators: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
/** DynamoDB takes so many operands of an IN. */
const maxChoices = 100;
/** Parentheses and NOTs within each other: bounds the recursion here and in the evaluation. */
const maxDepth = 100;

/** Throws a ValidationException where it is not in the language, or uses a part of it that is not known here. */
export function parseCondition(text: string, field: string): Condition {
  const tokens = new Tokens(text, field);
  const condition = parseOr(tokens, 0);
  tokens.expectEnd();
  return condition;
}

function parseOr(tokens: Tokens, depth: number): Condition {
  let left = parseAnd(tokens, depth);
  while (tokens.take('OR')) left = { kind: 'or', left, right: parseAnd(tokens, depth) };
  return left;
}

function parseAnd(tokens: Tokens, depth: number): Condition {
  let left = parseNot(tokens, depth);
  while (tokens.take('AND')) left = { kind: 'and', left, right: parseNot(tokens, depth) };
  return left;
}

function parseNot(tokens: Tokens, depth: number): Condition {
  if (depth > maxDepth) throw tokens.fault('The expression is nested too deeply;');
  if (tokens.take('NOT')) return { kind: 'not', condition: parseNot(tokens, depth + 1) };
  if (tokens.take('(')) {
    const condition = parseOr(tokens, depth + 1);
    tokens.expect(')');
    return condition;
  }
  return parsePredicate(tokens);
}

function parsePredicate(tokens: Tokens): Condition {
  const token = tokens.peek();
  const isFunction = token.kind === 'name' && token.text in functions;
  if (isFunction && token.text !== 'size') return parseFunction(tokens);
  const left = parseOperand(tokens);
  if (tokens.take('BETWEEN')) {
    const low = parseOperand(tokens);
    tokens.expect('AND');
    return { kind: 'between', operand: left, low, high: parseOperand(tokens) };
  }
  if (tokens.take('IN')) {
    tokens.expect('(');
    const choices = [parseOperand(tokens)];
    while (tokens.take(',')) choices.push(parseOperand(tokens));
    tokens.expect(')');
    if (choices.length > maxChoices)
      throw tokens.fault(`Invalid number of operands for IN: at most ${maxChoices};`);
    return { kind: 'in', operand: left, choices };
  }
  const symbol = tokens.next();
  if (!comparators.has(symbol.text)) throw tokens.syntaxFault(symbol);
  return { kind: 'comparison', is: symbol.text as Comparator, left, right: parseOperand(tokens) };
}

const functions = {
  attribute_exists: 'exists',
  attribute_not_exists: 'missing',
  attribute_type: 'has type',
  begins_with: 'begins',
  contains: 'contains',
  size: 'size',
} as const;

function parseFunction(tokens: Tokens): Condition {
  const kind = functions[tokens.next().text as keyof typeof functions];
  tokens.expect('(');
  const path = tokens.path();
  if (kind === 'exists' || kind === 'missing') {
    tokens.expect(')');
    return { kind, path };
  }
  tokens.expect(',');
  const operand = parseOperand(tokens);
  tokens.expect(')');
  return { kind: kind as 'has type' | 'begins' | 'contains', path, operand };
}

function parseOperand(tokens: Tokens): Operand {
  const token = tokens.peek();
  if (token.kind === 'value') return { kind: 'value', placeholder: tokens.next().text };
  const path = tokens.path();
  if (path !== 'size' || !tokens.take('(')) return { kind: 'path', path };
  const of = tokens.path();
  tokens.expect(')');
  return { kind: 'size', path: of };
}

/** A condition with its placeholders filled in: true or false of an item, where no item is one without attributes. */
export type Test = (item: Item) => boolean;

type Read = (item: Item) => AttributeValue | undefined;

/** Fills in what the placeholders stand for. Throws a ValidationException where one is missing. */
export function bindCondition(condition: Condition, placeholders: Placeholders): Test {
  const bind = (part: Condition): Test => bindCondition(part, placeholders);
  const read = (operand: Operand): Read => bindOperand(operand, placeholders);
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const [left, right] = [bind(condition.left), bind(condition.right)];
      if (condition.kind === 'and') return (item) => left(item) && right(item);
      return (item) => left(item) || right(item);
    }
    case 'not': {
      const test = bind(condition.condition);
      return (item) => !test(item);
    }
    case 'comparison': {
      const [left, right] = [read(condition.left), read(condition.right)];
      return (item) => holds(condition.is, left(item), right(item));
    }
    case 'between': {
      const [value, low, high] = [condition.operand, condition.low, condition.high].map(read);
      return (item) =>
        holds('>=', value?.(item), low?.(item)) && holds('<=', value?.(item), high?.(item));
    }
    case 'in': {
      const value = read(condition.operand);
      const choices = condition.choices.map(read);
      return (item) => choices.some((choice) => holds('=', value(item), choice(item)));
    }
    default:
      return bindFunction(condition, placeholders);
  }
}

function bindFunction(condition: FunctionCall, placeholders: Placeholders): Test {
  const name = placeholders.attribute(condition.path);
  if (condition.kind === 'exists') return (item) => item[name] !== undefined;
  if (condition.kind === 'missing') return (item) => item[name] === undefined;
  const argument = bindOperand(condition.operand, placeholders);
  const matches = { 'has type': hasType, begins: begins, contains }[condition.kind];
  return (item) => {
    const [value, wanted] = [item[name], argument(item)];
    return value !== undefined && wanted !== undefined && matches(value, wanted);
  };
}

function bindOperand(operand: Operand, placeholders: Placeholders): Read {
  if (operand.kind === 'value') {
    const value = placeholders.value(operand.placeholder);
    return () => value;
  }
  const name = placeholders.attribute(operand.path);
  if (operand.kind === 'path') return (item) => item[name];
  return (item) => sizeOf(item[name]);
}

/** A comparison with an attribute that is missing, or of another type, does not hold; `<>` then does. */
function holds(
  is: Comparator,
  left: AttributeValue | undefined,
  right: AttributeValue | undefined,
) {
  if (left === undefined || right === undefined) return is === '<>' && left !== right;
  if (is === '=') return isSame(left, right);
  if (is === '<>') return !isSame(left, right);
  const order = compare(left, right);
  if (order === undefined) return false;
  if (is === '<') return order < 0;
  if (is === '<=') return order <= 0;
  return is === '>' ? order > 0 : order >= 0;
}

function hasType(value: AttributeValue, type: AttributeValue): boolean {
  return typeOf(value) === type.S;
}

function begins(value: AttributeValue, prefix: AttributeValue): boolean {
  if (value.S !== undefined && prefix.S !== undefined) return value.S.startsWith(prefix.S);
  if (value.B === undefined || prefix.B === undefined) return false;
  return Buffer.from(value.B).subarray(0, prefix.B.byteLength).equals(prefix.B);
}

function contains(value: AttributeValue, part: AttributeValue): boolean {
  if (value.S !== undefined) return part.S !== undefined && value.S.includes(part.S);
  if (value.B !== undefined)
    return part.B !== undefined && Buffer.from(value.B).includes(Buffer.from(part.B));
  if (value.L !== undefined) return value.L.some((member) => isSame(member, part));
  const type = typeOf(value);
  if (type !== `${typeOf(part)}S`) return false;
  const [wanted] = setTexts({ [type]: [part.S ?? part.N ?? part.B] } as unknown as AttributeValue);
  return wanted !== undefined && setTexts(value).includes(wanted);
}

/** Characters of a text, bytes of a binary value, members of a set, list or map; what else has none. */
function sizeOf(value: AttributeValue | undefined): AttributeValue | undefined {
  if (value === undefined) return undefined;
  const members = value.SS ?? value.NS ?? value.BS ?? value.L ?? (value.M && Object.keys(value.M));
  const size = value.S?.length ?? value.B?.byteLength ?? members?.length;
  return size === undefined ? undefined : { N: String(size) };
}
