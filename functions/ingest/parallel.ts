// Work on many things side by side, a bounded number of them at a time.

/** Calls `task` for every entry, at most `most` at a time; rejects with the first rejection. */
export async function inParallel<T>(
  entries: readonly T[],
  most: number,
  task: (entry: T) => Promise<void>,
): Promise<void> {
  const queue = entries.values();
  const worker = async () => {
    for (const entry of queue) await task(entry);
  };
  await Promise.all(Array.from({ length: Math.min(most, entries.length) }, worker));
}
