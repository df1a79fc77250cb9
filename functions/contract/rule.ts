// The rules of schemas in words, where a schema gives none of its own: what it must be, and not what the library expected.
import type * as z from 'zod';

const types: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
};

const formats: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  email: 'an email address',
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  base64: 'base64',
};

const units: Readonly<Record<string, readonly [one: string, several: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
};

/** Undefined for what is rare, and left in the words of zod. */
export function ruleOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      return `must be ${types[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${alternatives(issue.values.map(String))}`;
    case 'too_small':
      return sizeRule(
        issue.origin,
        issue.inclusive === false ? 'more than' : 'at least',
        issue.minimum,
      );
    case 'too_big':
      return sizeRule(
        issue.origin,
        issue.inclusive === false ? 'less than' : 'at most',
        issue.maximum,
      );
    case 'invalid_format':
      if (issue.format === 'regex') return `must match ${issue.pattern}`;
      return `must be ${formats[issue.format] ?? issue.format}`;
    default:
      return undefined;
  }
}

function sizeRule(origin: string, bound: string, size: number | bigint): string {
  const [one, several] = units[origin] ?? [];
  if (one === undefined) return `must be ${bound} ${size}`;
  return `must have ${bound} ${size} ${Number(size) === 1 ? one : several}`;
}

function alternatives(values: readonly string[]): string {
  const last = values.at(-1);
  return values.length < 2 ? `${last}` : `${values.slice(0, -1).join(', ')} or ${last}`;
}
