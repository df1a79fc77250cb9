// Dead letters by route and reason, the largest groups first.
import { Card, Time } from '../../components/basics.tsx';
import { count } from '../../components/format.ts';
import { linkTo } from '../../state/address.ts';
import { deadLetters } from '../../state/shared.ts';
import { useStore } from '../../state/store.ts';

const maxGroups = 5;

export function DeadLettersByReason() {
  const { value } = useStore(deadLetters);
  if (value === undefined || value.groups.length === 0) return null;
  return (
    <Card title="Dead letters by reason" aside={<a href={linkTo('dead-letters')}>All</a>}>
      <ul class="list">
        {value.groups.slice(0, maxGroups).map(({ route, reason, count: letters, newestAt }) => (
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
