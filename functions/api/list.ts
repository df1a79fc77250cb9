// A list resource: query parameters in, one page of JSON members and the cursor of the next page out.
import type { Hono } from 'hono';
import type * as z from 'zod';
import { problem, problemResponse } from '../contract/problem.ts';
import { encodeCursor } from './cursor.ts';
import { cursorKey, parseQuery } from './parameters.ts';
import type { Page } from './reader.ts';

export interface ListRoute<Q, T> {
  readonly path: string;
  /** Name of the array in the answer. */
  readonly name: string;
  /** Strict schema of the query parameters, `limit` and `cursor` among them. */
  readonly query: z.ZodType<Q>;
  readonly read: (query: Q, after: string | undefined) => Promise<Page<T>>;
  /** One entry as JSON text. */
  readonly json: (entry: T) => string;
}

/** Serves a list at `path`. Its cursors are bound to the path and to every parameter but limit and cursor. */
export function serveList<Q extends { limit: number; cursor?: string | undefined }, T>(
  app: Hono,
  route: ListRoute<Q, T>,
): void {
  app.get(route.path, async (context) => {
    const query = parseQuery(context, route.query);
    if (!query.ok) return problemResponse(problem('invalid-request', undefined, query.faults));
    const { limit: _, cursor, ...selection } = query.value;
    const list = JSON.stringify([route.path, selection]);
    const after = cursorKey(list, cursor);
    if (!after.ok) return problemResponse(problem('invalid-request', undefined, after.faults));
    const { entries, next } = await route.read(query.value, after.value);
    const nextCursor =
      next === undefined ? '' : `,"nextCursor":${JSON.stringify(encodeCursor(list, next))}`;
    return new Response(`{"${route.name}":[${entries.map(route.json).join(',')}]${nextCursor}}`, {
      headers: { 'content-type': 'application/json' },
    });
  });
}
