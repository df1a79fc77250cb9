// The routes of the overview, one a row: state and reason, what goes through and what waits.
import type { Route } from '../../client/operations.ts';
import { Card } from '../../components/basics.tsx';
import { count, rate, short } from '../../components/format.ts';
import { Spark } from '../../components/small-pictures.tsx';
import { State } from '../../components/state.tsx';
import { go, linkTo } from '../../state/address.ts';
import { drawnSeries, useSeries } from '../routes/series.ts';
import { waitingOf } from '../routes/waiting.ts';

/** With more routes each would cost a call of its own every few seconds. */
const maxSparks = 12;
/** Fewer draw a line that means nothing. */
const minPoints = 4;

function RouteSpark({ route: { name, state } }: { readonly route: Route }) {
  const { value } = useSeries(name, '1h');
  if (value === undefined) return null;
  if (value.points.length < minPoints) return null;
  const delivered = drawnSeries(value, Date.now()).values((point) => point.delivered);
  return (
    <Spark
      label={`Messages that ${name} delivered in the last hour`}
      tone={state === 'active' ? '' : state === 'holding' ? 'warn' : 'quiet'}
      values={delivered.map((one) => one ?? undefined)}
    />
  );
}

export function RouteTable({ routes }: { readonly routes: readonly Route[] }) {
  if (routes.length === 0) return null;
  return (
    <Card title="Routes" look="scroll-x">
      <table>
        <thead>
          <tr>
            <th>Route</th>
            <th>State</th>
            <th class="wide-only">Last hour</th>
            <th class="number">Delivered</th>
            <th class="number not-narrow">Waiting</th>
            <th class="number wide-only">In flight</th>
            <th class="number not-narrow">Sent again</th>
            <th class="number wide-only">Dead letters</th>
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => (
            <tr key={route.name} class="opens" onClick={() => go('routes', route.name)}>
              <td>
                <a class="row-link" data-row href={linkTo('routes', route.name)}>
                  {route.name}
                </a>
                <code class="sub">{route.filter}</code>
              </td>
              <td>
                <State name={route.state} />
                <div class="sub route-reason">{route.reason ?? `to ${route.handler}`}</div>
              </td>
              <td class="wide-only column-spark">
                {routes.length <= maxSparks && <RouteSpark route={route} />}
              </td>
              <td class="number">
                <b>{rate(route.deliveredPerSecond)}</b>
                <span class="dim">/s</span>
              </td>
              <td class="number not-narrow">{short(waitingOf(route))}</td>
              <td class="number wide-only">
                {route.requestsInFlight}
                <span class="dim"> of {route.concurrencyLimit}</span>
              </td>
              <td class="number not-narrow">{count(route.retriedMessages)}</td>
              <td class="number wide-only">{count(route.quarantinedMessages)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
