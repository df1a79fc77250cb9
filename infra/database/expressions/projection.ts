// Projection expressions: which attributes of an item are given back.
import type { Item } from '../values/attribute-values.ts';
import { refusal } from '../values/errors.ts';
import type { Placeholders } from './placeholders.ts';
import { Tokens } from './tokens.ts';

const field = 'ProjectionExpression';

/** Throws a ValidationException where it is no list of attributes. */
export function parseProjection(text: string): readonly string[] {
  const tokens = new Tokens(text, field);
  const paths = [tokens.path()];
  while (tokens.take(',')) paths.push(tokens.path());
  tokens.expectEnd();
  return paths;
}

export function bindProjection(
  paths: readonly string[],
  placeholders: Placeholders,
): (item: Item) => Item {
  const names = paths.map((path) => placeholders.attribute(path));
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined)
    throw refusal(
      `Invalid ${field}: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [${repeated}], path two: [${repeated}]`,
    );
  return (item) => {
    const chosen: Item = {};
    for (const name of names) {
      const value = item[name];
      if (value !== undefined) chosen[name] = value;
    }
    return chosen;
  };
}
