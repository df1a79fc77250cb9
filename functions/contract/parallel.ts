// Work on many things side by side, a bounded number of them at a time.

/** The results of `task` for all entries, in their order; at most `maxRunning` run at a time. Rejects with the first rejection. */
export async function mapInParallel<T, R>(
  entries: readonly T[],
  maxRunning: number,
  task: (entry: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(entries.length);
  const queue = entries.entries();
  const worker = async () => {
    for (const [index, entry] of queue) results[index] = await task(entry);
  };
  await Promise.all(Array.from({ length: Math.min(maxRunning, entries.length) }, worker));
  return results;
}
