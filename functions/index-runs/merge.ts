// References of several sorted sources as one, in order; each segment of a topic once.
import { compareReferences, isSameSegment, type Reference } from './reference.ts';

/**
 * Merges sources that are each sorted. Reads each one only as far as is asked for, so the memory is that of a block a
 * source.
 */
export async function* mergedReferences<R extends Reference>(
  sources: readonly AsyncIterable<R>[],
): AsyncGenerator<R, void> {
  const readers = sources.map((source) => source[Symbol.asyncIterator]());
  const heads: Head<R>[] = [];
  const firsts = await Promise.all(readers.map(async (reader) => (await reader.next()).value));
  for (const [index, reference] of firsts.entries())
    if (reference) push(heads, { reference, reader: readers[index] as AsyncIterator<R> });
  /** Of the topic and time that is being told: equal ones stand together. */
  let told: R[] = [];
  for (let head = heads[0]; head !== undefined; head = heads[0]) {
    const { reference } = head;
    const [first] = told;
    if (first === undefined || compareReferences(first, reference) !== 0) told = [];
    if (!told.some((one) => isSameSegment(one, reference))) {
      told.push(reference);
      yield reference;
    }
    await replaceFirst(heads);
  }
}

interface Head<R extends Reference> {
  reference: R;
  readonly reader: AsyncIterator<R>;
}

function push<R extends Reference>(heads: Head<R>[], head: Head<R>): void {
  heads.push(head);
  for (let at = heads.length - 1; at > 0; ) {
    const above = (at - 1) >> 1;
    if (!isBefore(heads[at] as Head<R>, heads[above] as Head<R>)) return;
    swap(heads, at, above);
    at = above;
  }
}

/** The heap's first head goes on by one, and to its place. */
async function replaceFirst<R extends Reference>(heads: Head<R>[]): Promise<void> {
  const first = heads[0] as Head<R>;
  const { done, value } = await first.reader.next();
  if (done === true) {
    const last = heads.pop() as Head<R>;
    if (heads.length === 0) return;
    heads[0] = last;
  } else first.reference = value;
  for (let at = 0; ; ) {
    const left = 2 * at + 1;
    const min = [left, left + 1]
      .filter((below) => below < heads.length)
      .reduce((a, b) => (isBefore(heads[b] as Head<R>, heads[a] as Head<R>) ? b : a), at);
    if (min === at) return;
    swap(heads, at, min);
    at = min;
  }
}

function isBefore<R extends Reference>(a: Head<R>, b: Head<R>): boolean {
  return compareReferences(a.reference, b.reference) < 0;
}

function swap<R extends Reference>(heads: Head<R>[], a: number, b: number): void {
  const head = heads[a] as Head<R>;
  heads[a] = heads[b] as Head<R>;
  heads[b] = head;
}
