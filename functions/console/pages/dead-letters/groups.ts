// Groups of dead letters by route and reason: which are chosen, and how many that is.
import type { DeadLetterCounts } from '../../client/operations.ts';

type Group = DeadLetterCounts['groups'][number];

/** What the page shows: as the api is asked. */
export interface Selected {
  readonly filter: string;
  readonly route: string | undefined;
  readonly reason: string | undefined;
}

export const matching = (
  groups: readonly Group[],
  { route, reason }: Pick<Selected, 'route' | 'reason'>,
): Group[] =>
  groups.filter(
    (group) =>
      (route === undefined || group.route === route) &&
      (reason === undefined || group.reason === reason),
  );

/** How many there are of each, the most first. */
export function countsOf(groups: readonly Group[], by: 'route' | 'reason'): [string, number][] {
  const counts = new Map<string, number>();
  for (const group of groups) counts.set(group[by], (counts.get(group[by]) ?? 0) + group.count);
  return [...counts].sort(([, a], [, b]) => b - a);
}
