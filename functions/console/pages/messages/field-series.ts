// Curves of a topic's numbers, as the api reduces them: answer by answer, those of one step put together.
import type { Got } from '../../client/operations.ts';

export type Series = Got<'/v1/messages/series'>['series'][number];
export type Point = Series['points'][number];

/** How far back, the length of a step, and the word for it: about as many steps as a chart has room for. */
export const spans = {
  '1h': { ms: 3_600_000, stepSeconds: 10 },
  '6h': { ms: 6 * 3_600_000, stepSeconds: 60 },
  '24h': { ms: 86_400_000, stepSeconds: 300 },
  '7d': { ms: 7 * 86_400_000, stepSeconds: 1800 },
} as const;

export type Span = keyof typeof spans;
export const spanNames = Object.keys(spans) as readonly Span[];

/** The shortest one that has the newest message in it. */
export const spanWith = (newestMs: number, nowMs: number): Span =>
  spanNames.find((name) => newestMs > nowMs - spans[name].ms) ?? '7d';

/** The points of the next answer behind those before it; the step that both have in part is one. */
export function goneOn(before: readonly Point[], next: readonly Point[]): Point[] {
  const [last, first] = [before.at(-1), next[0]];
  if (last === undefined || first === undefined || last.at !== first.at)
    return [...before, ...next];
  const count = last.count + first.count;
  const joined = {
    at: last.at,
    min: Math.min(last.min, first.min),
    mean: (last.mean * last.count + first.mean * first.count) / count,
    max: Math.max(last.max, first.max),
    count,
  };
  return [...before.slice(0, -1), joined, ...next.slice(1)];
}

/** Fields that one call can be asked for by their names; those with a comma in it cannot. */
export const maxFields = 10;
export const canBeAsked = (path: string) => !path.includes(',');
