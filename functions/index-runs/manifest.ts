// The manifest: how far the log is indexed, and which runs there are. One item, replaced as a whole, that makes runs
// readable; and the rule by which runs are merged, so that there are few.
import * as z from 'zod';
import { deflated, inflated } from '../segments/bytes.ts';
import type { Item } from '../table/item.ts';
import type { Run } from './run.ts';

export interface Manifest {
  /** Counts its writes: one is made only in place of the one that its writer has read. 0 where there is none yet. */
  readonly version: number;
  /** Every segment with a stamp up to here is in a run; milliseconds since 1970. */
  readonly untilMs: number;
  /** In the order in which their segments were written. */
  readonly runs: readonly Run[];
}

export const noManifest: Manifest = { version: 0, untilMs: 0, runs: [] };

export const manifestKey = { pk: { S: 'index' }, sk: { S: 'manifest' } };

/** A run for each level and {@link runsOfLevel} is 200 B; there are under a hundred. */
const maxInflatedBytes = 1024 * 1024;

const runSchema = z.object({
  id: z.string(),
  level: z.int(),
  firstMs: z.number(),
  lastMs: z.number(),
  spanMs: z.number(),
  references: z.int(),
  expiresAtSeconds: z.int(),
});
const bodySchema = z.object({ untilMs: z.number(), runs: z.array(runSchema) });

export function manifestItem({ version, untilMs, runs }: Manifest): Item {
  return {
    ...manifestKey,
    version: { N: String(version) },
    body: { B: deflated(Buffer.from(JSON.stringify({ untilMs, runs }))) },
  };
}

/** The manifest that an item is. Throws where it is none: that is a bug or a foreign write. */
export function manifestOf(item: Item | undefined): Manifest {
  if (item === undefined) return noManifest;
  const body = inflated(item['body']?.B ?? new Uint8Array(), maxInflatedBytes);
  return {
    version: Number(item['version']?.N),
    ...bodySchema.parse(JSON.parse(body.toString('utf8'))),
  };
}

/** So many runs of a level are merged into one of the next. */
export const runsOfLevel = 10;

/** References in a run at most: a merge of more would take hours, and begins again where its process ends. */
const maxRunReferences = 1_000_000_000;

/**
 * The runs that are to be merged next, `count` of one level that follow each other; none where there are fewer. Only of
 * levels that `isWanted`.
 */
export function runsToMerge(
  { runs }: Manifest,
  count: number,
  isWanted: (level: number) => boolean = () => true,
): readonly Run[] {
  const levels = [...new Set(runs.map(({ level }) => level))].filter(isWanted);
  levels.sort((a, b) => a - b);
  for (const level of levels) {
    const oldest = runs.filter((run) => run.level === level).slice(0, count);
    const references = oldest.reduce((sum, run) => sum + run.references, 0);
    if (oldest.length === count && references <= maxRunReferences) return oldest;
  }
  return [];
}

/** The manifest with one more run, of what was written up to `untilMs`. */
export function withRun(manifest: Manifest, untilMs: number, run: Run | undefined): Manifest {
  const { version, runs } = manifest;
  return { version: version + 1, untilMs, runs: run === undefined ? runs : [...runs, run] };
}

/** The manifest with a run in the place of those it was merged from; undefined where these are no longer in it. */
export function withMerged(
  manifest: Manifest,
  merged: readonly Run[],
  run: Run | undefined,
): Manifest | undefined {
  const { version, untilMs, runs } = manifest;
  const ids = new Set(merged.map(({ id }) => id));
  const start = runs.findIndex(({ id }) => ids.has(id));
  const left = runs.filter(({ id }) => !ids.has(id));
  if (left.length !== runs.length - merged.length) return undefined;
  return { version: version + 1, untilMs, runs: left.toSpliced(start, 0, ...(run ? [run] : [])) };
}

/** The manifest without the runs whose messages have all expired. */
export function withoutExpired(manifest: Manifest, nowMs: number): Manifest {
  const runs = manifest.runs.filter(({ expiresAtSeconds }) => expiresAtSeconds * 1000 > nowMs);
  return { ...manifest, runs };
}
