// One page of a list, collected from the steps of a reader until it is full or large, or enough has been read.
import type { Item } from '../../table/item.ts';
import type { Steps } from '../../table/steps.ts';

/** Part of an answer; `next` is the key to go on after, absent at the end. */
export interface Page<T> {
  readonly entries: readonly T[];
  readonly next?: string;
}

/** Bytes in one page, unless its only entry has more: an answer from Lambda has at most 6 MB. */
export const maxPageBytes = 4 * 1024 * 1024;

/** Maximum queries that one request sends to one partition to fill its page, where a filter leaves out much of what they read. */
export const maxQueriesPerPage = 20;

export function pageOf<T>(entries: readonly T[], next: string | undefined): Page<T> {
  return next === undefined ? { entries } : { entries, next };
}

export interface PageOptions<T> {
  /** Maximum entries. */
  readonly limit: number;
  /** The entry that an item makes, or undefined where it does not belong to the list. */
  readonly pick: (item: Item) => T | undefined;
  /** Bytes that an entry takes in the answer, about. */
  readonly bytesOf: (item: Item) => number;
}

/** Collects a page. Its cursor may stand at an item that was passed over. */
export async function collectPage<T>(
  steps: Steps,
  { limit, pick, bytesOf }: PageOptions<T>,
): Promise<Page<T>> {
  const entries: T[] = [];
  let bytes = 0;
  let passed: string | undefined;
  for (;;) {
    const { done, value } = await steps.next();
    if (done === true) return value ? { entries } : pageOf(entries, passed);
    if (entries.length === limit) return pageOf(entries, passed);
    const picked = value.item && pick(value.item);
    if (value.item !== undefined && picked !== undefined) {
      bytes += bytesOf(value.item);
      if (bytes > maxPageBytes && entries.length > 0) return pageOf(entries, passed);
      entries.push(picked);
    }
    passed = value.key;
  }
}
