// Input from outside, checked against a zod schema: either the parsed value or the list of its faults.
import * as z from 'zod';
import type { FieldFault } from './problem.ts';
import { ruleOf } from './rule.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: FieldFault[] };

/** Checks `input` and lists every fault with its path. No input is repeated back: it may hold a secret. */
export function parseWith<S extends z.ZodType>(schema: S, input: unknown): Parsed<z.output<S>> {
  // Nearly all input is good, and rules in our words make Zod half as slow again: so they are asked for where there are faults.
  const result = schema.safeParse(input);
  if (result.success) return { ok: true, value: result.data };
  const { error = result.error } = schema.safeParse(input, { error: ruleOf });
  return { ok: false, faults: error.issues.flatMap(faultsOf) };
}

/** What JSON a text holds; undefined where it holds none. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [...path, key].join('.'),
      rule: 'is not a known field',
    }));
  }
  // A key has no place of its own: what is wrong with it is said where it stands.
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => ({ field: path.join('.'), rule: message }));
  return [{ field: path.join('.'), rule: issue.message }];
}

/** Adds faults to those of a schema, in its `superRefine`. */
export function addFaults(context: z.RefinementCtx, faults: readonly FieldFault[]): void {
  for (const { field, rule } of faults)
    context.addIssue({ code: 'custom', path: field.split('.'), message: rule });
}

/** A fault in a line of text; without a field it is the whole that is wrong. */
export function faultText({ field, rule }: FieldFault): string {
  return field === '' ? rule : `${field}: ${rule}`;
}

/** The faults in one line of text, for logs and problem details. */
export function faultsText(faults: readonly FieldFault[]): string {
  return faults.map(faultText).join('; ');
}

/** A URL of one of these protocols, given as in `URL.protocol`: with its colon. */
export function urlWith(...protocols: readonly string[]) {
  return z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );
}
