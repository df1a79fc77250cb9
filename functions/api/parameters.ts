// Query parameters that several resources share, and how a request's parameters are checked.
import type { Context } from 'hono';
import * as z from 'zod';
import { type Parsed, parseWith } from '../contract/parse.ts';
import { filterFault, topicFault } from '../contract/topic.ts';
import { decodeCursor } from './cursor.ts';

export const topicParameter = z.string('is required').superRefine((topic, context) => {
  const fault = topicFault(topic);
  if (fault !== undefined) context.addIssue(fault);
});

export const filterParameter = z.string().superRefine((filter, context) => {
  const fault = filterFault(filter);
  if (fault !== undefined) context.addIssue(fault);
});

/** 1 to 1,000 entries in an answer; default 100. */
export const limitParameter = z
  .string()
  .regex(/^\d{1,4}$/, 'must be a whole number from 1 to 1000')
  .transform(Number)
  .refine((limit) => limit >= 1 && limit <= 1000, 'must be a whole number from 1 to 1000')
  .default(100);

export const cursorParameter = z.string().max(8192).optional();

/** An RFC 3339 time with offset, as UTC with microseconds: the form that sort keys start with. */
export const timeParameter = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z' })
  .transform((text) => {
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
    return `${new Date(text).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
  });

/** The cursor of a list; `list` names it with all parameters that decide what it holds. */
export function cursorKey(list: string, cursor: string | undefined): Parsed<string | undefined> {
  if (cursor === undefined) return { ok: true, value: undefined };
  const key = decodeCursor(list, cursor);
  if (key !== undefined) return { ok: true, value: key };
  return {
    ok: false,
    faults: [{ field: 'cursor', rule: 'must be a nextCursor of the same list' }],
  };
}

/** The query parameters of a request, each given once, checked against a strict object schema. */
export function parseQuery<S extends z.ZodType>(context: Context, schema: S): Parsed<z.output<S>> {
  const query = context.req.queries();
  const doubled = Object.keys(query).filter((name) => query[name]?.length !== 1);
  if (doubled.length > 0) {
    return { ok: false, faults: doubled.map((field) => ({ field, rule: 'must be given once' })) };
  }
  return parseWith(schema, context.req.query());
}
