// The fields of a schema, and values for each that are not its default: what tests of all settings are made from, so that
// a new setting is in them by itself.
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

export interface Field {
  /** With the index 0 for the elements of a list: `routes.0.retry.baseMs`. */
  readonly path: string;
  readonly schema: z.core.$ZodType;
}

/** All fields that hold a value: objects, lists of objects and unions of objects are gone into. */
export function fieldsOf(schema: z.core.$ZodType, path = ''): Field[] {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const { def } = unwrapped(schema)._zod;
  if (def.type === 'object')
    return Object.entries(def.shape).flatMap(([name, field]) => fieldsOf(field, at(name)));
  if (def.type === 'array' && isObject(def.element)) return fieldsOf(def.element, at('0'));
  if (def.type === 'union' && def.options.every(isObject))
    return def.options.flatMap((option) => fieldsOf(option, path));
  return [{ path, schema }];
}

function isObject(schema: z.core.$ZodType): boolean {
  return unwrapped(schema)._zod.def.type === 'object';
}

/** What stands in an optional field, in one with a default, or before a transformation. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodTypes {
  const known = schema as z.core.$ZodTypes;
  const { def } = known._zod;
  switch (def.type) {
    case 'optional':
    case 'nonoptional':
    case 'default':
    case 'prefault':
      return unwrapped(def.innerType);
    case 'pipe':
      return unwrapped(def.in);
    default:
      return known;
  }
}

const texts = [
  'sample',
  'sample/#',
  'sample/{clientId}',
  'mqtts://sample.example.com',
  'wss://sample.example.com/mqtt',
  'https://sample.example.com/',
  'arn:aws:lambda:eu-west-1:123456789012:function:sample',
  'eu-west-3',
  'c2FtcGxlIGtleQ==',
];

/** Values of which each field takes one. For a field that takes none, add one here. */
const values: readonly unknown[] = [
  true,
  false,
  1024,
  ...texts,
  ...texts.map((text) => [text]),
  ['holding'],
  { 'x-sample': 'sample' },
  { 'sample-0': 'sample' },
];

/** The values that the field takes by itself, and that are not its default. */
export function samplesOf({ schema }: Field): unknown[] {
  const { minimum, maximum, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  });
  const chosen = [json.const, ...(json.enum ?? [])];
  const numbers = [minimum, (minimum ?? 0) + 1, maximum];
  const preset = z.safeParse(schema, undefined);
  return [...chosen, ...numbers, ...values].filter((value) => {
    const parsed = z.safeParse(schema, value);
    return value !== undefined && parsed.success && !isDeepStrictEqual(parsed.data, preset.data);
  });
}

/** What stands at a path, or undefined. */
export function valueAt(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (value as Record<string, unknown> | undefined)?.[name],
      document,
    );
}

/** A copy with another value at a path; with undefined, without one. */
export function withValue<T>(document: T, path: string, value: unknown): T {
  const copy = structuredClone(document);
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place = copy as Record<string, unknown>;
  for (const name of names) {
    place[name] ??= {};
    place = place[name] as Record<string, unknown>;
  }
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}
