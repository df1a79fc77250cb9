// The overview: a verdict in words, what helps, and after it the numbers.

import type { Route } from '../../client/operations.ts';
import { CodeBox, Empty } from '../../components/basics.tsx';
import { Gate } from '../../components/gate.tsx';
import { Icon } from '../../components/icon.tsx';
import { linkTo } from '../../state/address.ts';
import { isAdmin } from '../../state/me.ts';
import { useSeconds } from '../../state/resource.ts';
import { topics } from '../../state/shared.ts';
import { routes } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';
import { RouteActions } from '../routes/actions.tsx';
import { consequenceOf } from '../routes/waiting.ts';
import { RecentChanges } from './changes.tsx';
import { CommandsToLookAt } from './commands.tsx';
import { DeadLettersByReason } from './dead-letters.tsx';
import { OverviewFacts } from './facts.tsx';
import { RouteTable } from './route-table.tsx';
import { verdictOf } from './verdict.ts';

export function Overview() {
  const shown = useStore(routes);
  return (
    <div class="page overview">
      <div class="head">
        <h1>Overview</h1>
      </div>
      {!isAdmin() ? (
        <OverviewFacts routes={[]} />
      ) : (
        <Gate shown={shown}>
          {({ routes: list }) => (
            <>
              <VerdictBox routes={list} />
              <OverviewFacts routes={list} />
              <FirstMessage />
              <RouteTable routes={list} />
            </>
          )}
        </Gate>
      )}
      <div class="overview-lists">
        <DeadLettersByReason />
        <CommandsToLookAt />
        <RecentChanges />
      </div>
    </div>
  );
}

const verdictIcons = { ok: 'check', warn: 'warning', bad: 'cross', quiet: 'info' } as const;

function VerdictBox({ routes: list }: { readonly routes: readonly Route[] }) {
  const { tone, title, route } = verdictOf(list);
  const now = useSeconds(route?.nextTryAt !== undefined);
  return (
    <section class={`verdict ${tone}`}>
      <Icon name={verdictIcons[tone]} />
      <div class="grow">
        <h2>{title}</h2>
        {route !== undefined && (
          <p>
            <a href={linkTo('routes', route.name)}>{route.name}</a>
            {route.handler !== '' && ` to ${route.handler}`}
            {route.reason !== undefined && `: ${route.reason}`}. {consequenceOf(route, now)}
          </p>
        )}
        {route?.cure !== undefined && <p>{route.cure}</p>}
      </div>
      {route !== undefined && (
        <div class="verdict-actions">
          <RouteActions route={route} isShort />
          <a class="button primary" href={linkTo('routes', route.name)}>
            Look at it
          </a>
        </div>
      )}
    </section>
  );
}

/** Before the first message: the line that publishes one. */
function FirstMessage() {
  const { value } = useStore(topics);
  if (value === undefined || value.topics.length > 0) return null;
  const line = 'npx mqtt pub -h 127.0.0.1 -p 1883 -q 1 -t rooms/kitchen -m \'{"celsius":21.5}\'';
  return (
    <div class="card">
      <Empty icon="messages" title="No message has come yet">
        <p>
          Publish one as a device, or send one from the page Publish. It shows up here and under
          Messages.
        </p>
        <CodeBox text={line} />
      </Empty>
    </div>
  );
}
