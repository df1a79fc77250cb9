// The five numbers of the overview, each a link to what it counts.
import type { ComponentChildren } from 'preact';
import type { Route } from '../../client/operations.ts';
import { count, rate, short, sumOf } from '../../components/format.ts';
import { linkTo } from '../../state/address.ts';
import { deadLetters } from '../../state/shared.ts';
import { presence } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';
import { waitingOf } from '../routes/waiting.ts';

export function OverviewFacts({ routes }: { readonly routes: readonly Route[] }) {
  const letters = useStore(deadLetters).value;
  const clients = useStore(presence).value?.clients;
  const sum = (of: (route: Route) => number) =>
    routes.reduce((total, route) => total + of(route), 0);
  const online = clients?.filter(({ status }) => status === 'online').length ?? 0;
  const flapping = clients?.filter((client) => client.flapping).length ?? 0;
  const isAtBroker = routes.some(({ backlogMessages }) => backlogMessages !== undefined);
  return (
    <div class="card facts">
      {routes.length > 0 && (
        <>
          <Fact name="Delivered" to={linkTo('messages')} more="to all handlers, over a minute">
            {rate(sum(({ deliveredPerSecond }) => deliveredPerSecond))}
            <small>/s</small>
          </Fact>
          <Fact
            name={isAtBroker ? 'Waiting at the broker' : 'Waiting in the bridge'}
            to={linkTo('routes')}
            more={`${count(sum(({ requestsInFlight }) => requestsInFlight))} requests in flight`}
          >
            {short(sum(waitingOf))}
          </Fact>
        </>
      )}
      {letters !== undefined && (
        <Fact
          name="Dead letters"
          to={linkTo('dead-letters')}
          more={letters.groups.length === 0 ? 'nothing was refused' : 'kept, to be replayed'}
        >
          {count(sumOf(letters.groups))}
          {letters.readUntil !== undefined && <small>or more</small>}
        </Fact>
      )}
      {clients !== undefined && (
        <Fact
          name="Clients online"
          to={linkTo('clients')}
          more={flapping > 0 ? `${flapping} flapping` : `${clients.length - online} offline`}
        >
          {count(online)}
          <small>of {count(clients.length)}</small>
        </Fact>
      )}
    </div>
  );
}

function Fact({
  name,
  to,
  more,
  children,
}: {
  readonly name: string;
  readonly to: string;
  readonly more?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <a href={to}>
      <span class="fact-name">{name}</span>
      <span class="fact-value">{children}</span>
      {more !== undefined && <span class="fact-more">{more}</span>}
    </a>
  );
}
