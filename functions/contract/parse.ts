// Input from outside, checked against a zod schema: either the parsed value or the list of its faults.
import * as z from 'zod';
import type { FieldFault } from './problem.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: FieldFault[] };

/** Checks `input` and lists every fault with its path. No input is repeated back: it may hold a secret. */
export function parseWith<S extends z.ZodType>(schema: S, input: unknown): Parsed<z.output<S>> {
  const result = schema.safeParse(input);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, faults: result.error.issues.flatMap(faultsOf) };
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: [...path, key].join('.'),
      rule: 'is not a known field',
    }));
  }
  return [{ field: path.join('.'), rule: issue.message }];
}

/** The faults in one line of text, for logs and problem details. */
export function faultsText(faults: readonly FieldFault[]): string {
  return faults.map(({ field, rule }) => (field === '' ? rule : `${field}: ${rule}`)).join('; ');
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
