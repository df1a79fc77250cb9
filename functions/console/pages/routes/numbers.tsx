// The numbers of a route: what goes through now, and what did since the bridge started.
import type { Route } from '../../client/operations.ts';
import { Card, Facts, Time } from '../../components/basics.tsx';
import { count, rate } from '../../components/format.ts';
import { linkTo } from '../../state/address.ts';

export function RouteNumbers({ route }: { readonly route: Route }) {
  const { sessions, lastError, filteredMessages, backlogMessages } = route;
  const letters = linkTo('dead-letters', undefined, { route: route.name });
  return (
    <div class="charts">
      <Card title="Now">
        <div class="body">
          <Facts
            of={[
              ['Delivered', `${rate(route.deliveredPerSecond)} a second, over the last minute`],
              ['In the bridge', count(route.unsettledMessages)],
              [
                'At the broker',
                backlogMessages === undefined
                  ? 'this broker does not tell'
                  : `${count(backlogMessages)}, those in the bridge among them`,
              ],
              [
                'Requests in flight',
                `${route.requestsInFlight} of ${route.concurrencyLimit} that it may have now`,
              ],
            ]}
          />
        </div>
      </Card>
      <Card title="Since the bridge started">
        <div class="body">
          <Facts
            of={[
              ['Received', count(route.receivedMessages)],
              ['Delivered', count(route.deliveredMessages)],
              ['Sent again', count(route.retriedMessages)],
              [
                'Filtered out',
                filteredMessages === undefined ? undefined : count(filteredMessages),
              ],
              ['Dead letters', <a href={letters}>{count(route.quarantinedMessages)}</a>],
            ]}
          />
        </div>
      </Card>
      <Card title="At the broker">
        <div class="body">
          <Facts
            of={[
              ...sessions.map(
                ({ state, reason }, index) =>
                  [
                    sessions.length === 1 ? 'Session' : `Session ${index + 1}`,
                    reason === undefined ? state : `${state}: ${reason}`,
                  ] as const,
              ),
              [
                'Last trouble',
                lastError === undefined ? (
                  'none since the bridge started'
                ) : (
                  <>
                    <Time at={lastError.at} />: {lastError.reason}
                  </>
                ),
              ],
            ]}
          />
        </div>
      </Card>
    </div>
  );
}
