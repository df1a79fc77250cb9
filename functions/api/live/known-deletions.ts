// What is deleted, as one process knows it: all deletions are read again only where there is another one.
import { type Deletions, readDeletionMark, readDeletions } from '../../table/deletion.ts';
import type { ItemSource } from '../../table/partition.ts';

/** An api of another version, in the middle of a deployment, may leave no mark. */
const keptMs = 60_000;

/** What is deleted by now; the table is asked no sooner than `pollMs` milliseconds later, however many readers there are. */
export function createKnownDeletions(source: ItemSource, pollMs: number): () => Promise<Deletions> {
  let known: { mark: string | undefined; atMs: number; deletions: Deletions } | undefined;
  let asked: { atMs: number; deletions: Promise<Deletions> } | undefined;

  async function ask(atMs: number): Promise<Deletions> {
    const mark = await readDeletionMark(source);
    if (known === undefined || known.mark !== mark || atMs - known.atMs >= keptMs)
      known = { mark, atMs, deletions: await readDeletions(source, { consistent: true }) };
    return known.deletions;
  }

  return () => {
    const nowMs = performance.now();
    if (asked === undefined || nowMs - asked.atMs >= pollMs)
      asked = { atMs: nowMs, deletions: ask(nowMs) };
    return asked.deletions;
  };
}
