// The expressions of one call, parsed or remembered, with the call's names and values filled in.
import { LRUCache } from 'lru-cache';
import type { Item } from '../values/attribute-values.ts';
import { refusal } from '../values/errors.ts';
import type { KeySchema } from '../values/key-schema.ts';
import { bindCondition, parseCondition, type Test } from './condition.ts';
import { bindKeyCondition, type KeyRange, parseKeyCondition } from './key-condition.ts';
import { Placeholders } from './placeholders.ts';
import { bindProjection, parseProjection } from './projection.ts';
import { bindUpdate, type Change, parseUpdate } from './update.ts';

/** The fields of a call that hold expressions and what they need. */
export interface Expressions {
  readonly ConditionExpression?: string | undefined;
  readonly FilterExpression?: string | undefined;
  readonly KeyConditionExpression?: string | undefined;
  readonly ProjectionExpression?: string | undefined;
  readonly UpdateExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Item | undefined;
}

/** Undefined where the call has no such expression. */
export interface BoundExpressions {
  readonly condition: Test | undefined;
  readonly filter: Test | undefined;
  readonly range: KeyRange | undefined;
  readonly project: ((item: Item) => Item) | undefined;
  readonly change: Change | undefined;
}

const none: BoundExpressions = {
  condition: undefined,
  filter: undefined,
  range: undefined,
  project: undefined,
  change: undefined,
};

/** The project has about thirty expressions, and calls each again and again. */
const maxRemembered = 500;

const condition = remembered((text) => parseCondition(text, 'ConditionExpression'));
const filter = remembered((text) => parseCondition(text, 'FilterExpression'));
const keyCondition = remembered(parseKeyCondition);
const projection = remembered(parseProjection);
const update = remembered(parseUpdate);

/** Throws a ValidationException for what is not in the language, missing or not used. */
export function bindExpressions(call: Expressions, schema: KeySchema): BoundExpressions {
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = call;
  const hasExpression =
    call.ConditionExpression !== undefined ||
    call.FilterExpression !== undefined ||
    call.KeyConditionExpression !== undefined ||
    call.ProjectionExpression !== undefined ||
    call.UpdateExpression !== undefined;
  if (!hasExpression) {
    const stray =
      names !== undefined
        ? 'ExpressionAttributeNames'
        : values !== undefined
          ? 'ExpressionAttributeValues'
          : undefined;
    if (stray !== undefined) throw refusal(`${stray} can only be specified when using expressions`);
    return none;
  }
  const placeholders = new Placeholders(names, values);
  const bound: BoundExpressions = {
    condition: bind(call.ConditionExpression, condition, (parsed) =>
      bindCondition(parsed, placeholders),
    ),
    filter: bind(call.FilterExpression, filter, (parsed) => bindCondition(parsed, placeholders)),
    range: bind(call.KeyConditionExpression, keyCondition, (parsed) =>
      bindKeyCondition(parsed, placeholders, schema),
    ),
    project: bind(call.ProjectionExpression, projection, (parsed) =>
      bindProjection(parsed, placeholders),
    ),
    change: bind(call.UpdateExpression, update, (parsed) =>
      bindUpdate(parsed, placeholders, [schema.partitionKey, schema.sortKey]),
    ),
  };
  placeholders.checkAllUsed();
  return bound;
}

function bind<Parsed, Bound>(
  text: string | undefined,
  parse: (text: string) => Parsed,
  fill: (parsed: Parsed) => Bound,
): Bound | undefined {
  return text === undefined ? undefined : fill(parse(text));
}

function remembered<Parsed extends object>(
  parse: (text: string) => Parsed,
): (text: string) => Parsed {
  const known = new LRUCache<string, Parsed>({ max: maxRemembered });
  return (text) => {
    const found = known.get(text) ?? parse(text);
    known.set(text, found);
    return found;
  };
}
