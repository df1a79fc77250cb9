// The routes of the bridge: each with its state, and the chosen one with what it does, why it holds and what helps.
import type { Route } from '../../client/operations.ts';
import { Empty } from '../../components/basics.tsx';
import { rate } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { State } from '../../components/state.tsx';
import { linkTo, place } from '../../state/address.ts';
import { routes } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';
import { RouteActions } from './actions.tsx';
import { RouteCharts } from './charts.tsx';
import { HoldBox } from './hold-box.tsx';
import { RouteNumbers } from './numbers.tsx';
import { Attempts, StateStrip } from './past.tsx';
import { PreviewCard } from './preview.tsx';
import { TestEvent } from './test-event.tsx';
import { RouteWarnings } from './warnings.tsx';

export function Routes() {
  const shown = useStore(routes);
  const { chosen } = useStore(place);
  return (
    <div class="page">
      <div class="head">
        <h1>Routes</h1>
      </div>
      <Gate shown={shown}>
        {({ routes: list }) => {
          const route = list.find(({ name }) => name === chosen) ?? list[0];
          return (
            <>
              {list.length > 1 && <RouteTabs routes={list} chosen={route} />}
              {route === undefined ? (
                <div class="card">
                  <Empty icon="routes" title="The bridge has no routes">
                    <p>A route is a topic filter and its handler, in causeway.config.ts.</p>
                  </Empty>
                </div>
              ) : (
                <RouteDetails key={route.name} route={route} />
              )}
            </>
          );
        }}
      </Gate>
    </div>
  );
}

function RouteTabs({
  routes: list,
  chosen,
}: {
  readonly routes: readonly Route[];
  readonly chosen: Route | undefined;
}) {
  return (
    <nav class="route-tabs" aria-label="Routes">
      {list.map((route) => (
        <a
          key={route.name}
          class="route-tab"
          data-row
          href={linkTo('routes', route.name)}
          {...(route === chosen && { 'aria-current': 'true' as const })}
        >
          <span class="row">
            <b>{route.name}</b>
            <code class="dim truncated grow">{route.filter}</code>
            <State name={route.state} />
          </span>
          <span class="row">
            <span class="dim small truncated grow">to {route.handler}</span>
            <b class="nowrap">{rate(route.deliveredPerSecond)}/s</b>
          </span>
        </a>
      ))}
    </nav>
  );
}

function RouteDetails({ route }: { readonly route: Route }) {
  return (
    <>
      <div class="head">
        <h2 class="route-name">{route.name}</h2>
        <State name={route.state} />
        <span class="dim small">
          <code>{route.filter}</code>
          {route.handler !== '' && ` to ${route.handler}`}
        </span>
        <div class="end">
          <TestEvent route={route} />
          <RouteActions route={route} />
        </div>
      </div>
      <HoldBox route={route} />
      <RouteWarnings route={route} />
      <StateStrip route={route} />
      <RouteCharts route={route} />
      <Attempts route={route} />
      <RouteNumbers route={route} />
      <PreviewCard route={route} />
    </>
  );
}
