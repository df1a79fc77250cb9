// What has changed of late: who paused what, what held and what recovered.
import { Card, Time } from '../../components/basics.tsx';
import { State } from '../../components/state.tsx';
import { linkTo } from '../../state/address.ts';
import { forAdmin } from '../../state/me.ts';
import { createResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';

const maxShown = 8;

const changes = createResource(
  forAdmin((signal) => client.get('/v1/changes', { query: { limit: String(maxShown) }, signal })),
  15_000,
);

export function RecentChanges() {
  // What a bridge saw first after its start has not changed.
  const list = (useStore(changes).value?.changes ?? []).filter(
    ({ before }) => before !== undefined,
  );
  if (list.length === 0) return null;
  return (
    <Card title="What has changed">
      <ul class="list">
        {list.map(({ at, route, state, before, reason, by }) => (
          <li key={`${route} ${at} ${state}`}>
            <State name={state}>
              <span class="only-read">{state}</span>
            </State>
            <div class="grow">
              <a href={linkTo('routes', route)}>{route}</a>
              {` went from ${before} to ${state}`}
              {by !== undefined && `, by ${by}`}
              {reason !== undefined && <div class="dim small">{reason}</div>}
            </div>
            <span class="list-when">
              <Time at={at} as="brief" />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
