// A list resource's answer: the page behind the cursor that the caller gave, and the cursor of the next one.

import type { Principal } from '../access/principal.ts';
import type { Cursors } from './cursor.ts';
import { invalid } from './operation.ts';
import type { Page } from './page.ts';

export interface List<T> {
  /** Tells this list from all others. */
  readonly name: string;
  readonly principal: Principal;
  /** The checked parameters. The cursor is bound to all of them but `limit`. */
  readonly selection: { readonly limit: number; readonly cursor?: string | undefined };
  readonly read: (after: string | undefined) => Promise<Page<T>>;
  readonly render: (
    entries: readonly T[],
    nextCursor: string | undefined,
    hint?: string | undefined,
  ) => Response;
  /** What probably happened where the whole list is empty. */
  readonly hint?: () => Promise<string | undefined> | string | undefined;
}

/** Answers with a page of the list, or with a problem where the cursor is none of this list and this caller. */
export async function answerList<T>(list: List<T>, cursors: Cursors): Promise<Response> {
  const { limit: _, cursor, ...selection } = list.selection;
  const bound = JSON.stringify([list.name, list.principal.id, selection]);
  const after = cursor === undefined ? undefined : await cursors.decode(bound, cursor);
  if (cursor !== undefined && after === undefined)
    return invalid([{ field: 'cursor', rule: 'must be a nextCursor of the same list' }]);
  const { entries, next } = await list.read(after);
  const isEmpty = after === undefined && entries.length === 0 && next === undefined;
  const hint = isEmpty ? await list.hint?.() : undefined;
  return list.render(
    entries,
    next === undefined ? undefined : await cursors.encode(bound, next),
    hint,
  );
}

/** Renders a list as `{"<name>":[…],"nextCursor":"…"}`; `json` gives an entry as JSON text. */
export function asJsonList<T>(name: string, json: (entry: T) => string): List<T>['render'] {
  return (entries, nextCursor, hint) => {
    const told = hint === undefined ? '' : `,"hint":${JSON.stringify(hint)}`;
    const next = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`;
    return new Response(`{"${name}":[${entries.map(json).join(',')}]${next}${told}}`, {
      headers: { 'content-type': 'application/json' },
    });
  };
}
