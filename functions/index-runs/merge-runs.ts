// Merges runs into one, so that a reader has few to look into.

import { readDeletions } from '../table/deletion.ts';
import { runsOfLevel, runsToMerge, withMerged } from './manifest.ts';
import { readManifest, replaceManifest } from './manifest-table.ts';
import { mergedReferences } from './merge.ts';
import type { Run } from './run.ts';
import { referencesOf } from './run-reader.ts';
import { writeRun } from './run-writer.ts';
import { type IndexingOptions, newRunId, settled } from './tick.ts';

export interface MergeOptions extends IndexingOptions {
  /** Runs of a level that are merged into one; default {@link runsOfLevel}. */
  readonly runsOfLevel?: number;
  /** Which levels are merged; default all. */
  readonly isWanted?: (level: number) => boolean;
}

/** Others write the manifest, too: a tick meanwhile. */
const tries = 5;

/**
 * Merges the runs that are due, if any; resolves with whether it has. Replaced runs stay until they expire, for readers
 * that have an older manifest. Rejects where the database is lost.
 */
export async function mergeRuns(options: MergeOptions): Promise<boolean> {
  const { now, signal } = options;
  const manifest = await readManifest(options, { consistent: true });
  const runs = runsToMerge(manifest, options.runsOfLevel ?? runsOfLevel, options.isWanted);
  if (runs.length === 0) return false;
  const deletions = await readDeletions(options, { consistent: true });
  const sources = runs.map((run) => referencesOf(options, run, now(), deletions));
  const merged = await writeRun(mergedReferences(sources), {
    ...options,
    run: { id: newRunId(), level: Math.max(...runs.map(({ level }) => level)) + 1 },
    expiresAtSeconds: Math.max(...runs.map(({ expiresAtSeconds }) => expiresAtSeconds)),
  });
  await settled(options);
  for (let attempt = 0; attempt < tries; attempt++) {
    signal?.throwIfAborted();
    if (await replace(options, runs, merged)) return true;
  }
  return false;
}

/** Whether the manifest has been written, or has no place for the run any more. */
async function replace(
  options: IndexingOptions,
  runs: readonly Run[],
  merged: Run,
): Promise<boolean> {
  const manifest = await readManifest(options, { consistent: true });
  const next = withMerged(manifest, runs, merged.references > 0 ? merged : undefined);
  return next === undefined || replaceManifest(options, next);
}
