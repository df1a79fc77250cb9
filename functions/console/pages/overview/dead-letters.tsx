// Dead letters by route and reason, the most first.
import type { DeadLetter } from '../../client/operations.ts';
import { Card, Time } from '../../components/basics.tsx';
import { count } from '../../components/format.ts';
import { linkTo } from '../../state/address.ts';
import { deadLetters } from '../../state/shared.ts';
import { useStore } from '../../state/store.ts';

const maxGroups = 5;

export interface Group {
  readonly route: string;
  readonly reason: string;
  readonly letters: number;
  readonly newestAt: string;
}

export function groupsOf(letters: readonly DeadLetter[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { route, reason, quarantinedAt } of letters) {
    const key = `${route}\n${reason}`;
    const known = groups.get(key);
    const newestAt =
      known === undefined || known.newestAt < quarantinedAt ? quarantinedAt : known.newestAt;
    groups.set(key, { route, reason, letters: (known?.letters ?? 0) + 1, newestAt });
  }
  return [...groups.values()].sort((a, b) => b.letters - a.letters);
}

export function DeadLettersByReason() {
  const { value } = useStore(deadLetters);
  if (value === undefined || value.deadLetters.length === 0) return null;
  return (
    <Card title="Dead letters by reason" aside={<a href={linkTo('dead-letters')}>All</a>}>
      <ul class="list">
        {groupsOf(value.deadLetters)
          .slice(0, maxGroups)
          .map(({ route, reason, letters, newestAt }) => (
            <li key={`${route}\n${reason}`}>
              <b class="list-count">{count(letters)}</b>
              <div class="grow">
                <a href={linkTo('dead-letters', undefined, { route, reason })}>{reason}</a>
                <div class="dim small">
                  {route} · newest <Time at={newestAt} as="ago" />
                </div>
              </div>
            </li>
          ))}
      </ul>
    </Card>
  );
}
