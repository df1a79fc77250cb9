// Reading in steps: those of several readers in one order, or one reader after the other.
import type { Item } from './item.ts';
import { compareSortKeys } from './sort-keys.ts';

/** How far reading has come: all up to this sort key has been seen, and this item was met there, or none. */
export interface Step {
  readonly key: string;
  readonly item?: Item;
}

/** Steps in order. Returns true at the end of the range, false where it had to stop before; it makes a step at least. */
export type Steps = AsyncGenerator<Step, boolean>;

/**
 * The steps of several readers, each of one order, in that order. What has the same sort key in two of them is one
 * item. Stops where one of them had to stop: what it did not read would come next.
 */
export async function* mergeSteps(readers: readonly Steps[], newestFirst: boolean): Steps {
  const [only] = readers;
  if (only !== undefined && readers.length === 1) return yield* only;
  const heads = new Map<Steps, Step>();
  const advance = async (reader: Steps): Promise<boolean> => {
    const { done, value } = await reader.next();
    if (done === true) heads.delete(reader);
    else heads.set(reader, value);
    return done !== true || value;
  };
  const goesOn = await Promise.all(readers.map(advance));
  if (goesOn.includes(false)) return false;
  let last: Step | undefined;
  while (heads.size > 0) {
    const [reader, step] = [...heads].reduce((a, b) => (isBefore(b[1], a[1], newestFirst) ? b : a));
    if (step.key !== last?.key || last.item === undefined) {
      yield step;
      last = step;
    }
    if (!(await advance(reader))) return false;
  }
  return true;
}

/** At the same key an item comes before the end of a query: reading goes on behind that end, and would miss the item. */
function isBefore(a: Step, b: Step, newestFirst: boolean): boolean {
  const order = compareSortKeys(a.key, b.key);
  if (order === 0) return a.item !== undefined && b.item === undefined;
  return newestFirst ? order > 0 : order < 0;
}

/** A range that is read in its turn, and its last key. */
export interface Part {
  readonly steps: Steps;
  readonly end: string;
}

/**
 * The steps of several readers, one after the other, for ranges that follow each other. Where one has to stop before
 * its first step, the end of the range before it is a step: so reading goes on from there.
 */
export async function* concatSteps(parts: readonly Part[]): Steps {
  let ended: string | undefined;
  for (const { steps, end } of parts) {
    for (;;) {
      const { done, value } = await steps.next();
      if (done !== true) {
        ended = undefined;
        yield value;
      } else if (value) {
        ended = end;
        break;
      } else {
        if (ended !== undefined) yield { key: ended };
        return false;
      }
    }
  }
  return true;
}
