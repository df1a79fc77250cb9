// One client: since when, its connections of a day, why they ended, and what that probably means.
import type { Client, Got } from '../../client/operations.ts';
import { Empty, Note, Time } from '../../components/basics.tsx';
import { Gate } from '../../components/gate.tsx';
import { Icon } from '../../components/icon.tsx';
import { Panel } from '../../components/overlays.tsx';
import { type Period, Strip } from '../../components/small-pictures.tsx';
import { State } from '../../components/state.tsx';
import { change, linkTo } from '../../state/address.ts';
import { hasRight, me } from '../../state/me.ts';
import { useOwnResource } from '../../state/resource.ts';
import { client as api } from '../../state/session.ts';
import { topics } from '../../state/shared.ts';
import { useStore } from '../../state/store.ts';
import { levelsOf, stateOf } from './client-state.ts';

type Event = Got<'/v1/presence/events'>['events'][number];

const dayMs = 86_400_000;
const everyMs = 15_000;

/** What each event makes of the client. */
const after = {
  connected: 'online',
  disconnected: 'offline',
  flapping: 'flapping',
  calm: 'online',
} as const;

/** Oldest first; before the first event nothing is known. */
export const periodsOf = (events: readonly Event[]): Period[] =>
  events.toReversed().map(({ time, event }) => ({ at: Date.parse(time), state: after[event] }));

export function ClientPanel({
  clientId,
  client,
}: {
  readonly clientId: string;
  readonly client: Client | undefined;
}) {
  const { shown } = useOwnResource(
    clientId,
    (signal) => api.get('/v1/presence/events', { query: { clientId, limit: '200' }, signal }),
    everyMs,
  );
  const caller = useStore(me).value;
  const levels = levelsOf(clientId, useStore(topics).value?.topics ?? []);
  const now = Date.now();
  return (
    <Panel
      label={clientId}
      title={<code>{clientId}</code>}
      sub={
        client !== undefined && (
          <>
            {stateOf(client)} since <Time at={client.since} />
          </>
        )
      }
      onClose={() => change({}, '')}
      footer={
        <>
          {caller !== undefined && hasRight(caller, 'publish') && (
            <a
              class="button"
              href={linkTo('publish', undefined, { topic: levels && `${levels}/cmd` })}
            >
              <Icon name="publish" />
              Send it a command
            </a>
          )}
          {levels !== undefined && (
            <a class="button" href={linkTo('messages', undefined, { filter: `${levels}/#` })}>
              <Icon name="messages" />
              Its messages
            </a>
          )}
        </>
      }
    >
      {client?.flapping === true && (
        <Note tone="warn" title="It comes and goes">
          <p>
            {client.flaps} connections and disconnections of late; while that lasts they are
            counted, and not recorded one by one. Two devices with the same client id push each
            other out in just this way; so does a device whose keep-alive is longer than its network
            lasts.
          </p>
        </Note>
      )}
      <Gate shown={shown}>
        {({ events }) => (
          <>
            <section>
              <h3>The last day</h3>
              <Strip
                label={`Connections of ${clientId} over a day`}
                from={now - dayMs}
                to={now}
                periods={periodsOf(events)}
              />
            </section>
            <section>
              <h3>Connections</h3>
              {events.length === 0 ? (
                <Empty icon="clients" title="None is recorded" />
              ) : (
                <ul class="list bare-list">
                  {events.slice(0, 50).map(({ time, event, reason, unrecorded }) => (
                    <li key={`${time}${event}`}>
                      <State name={after[event]}>{event}</State>
                      <span class="grow dim">
                        {reason}
                        {unrecorded !== undefined &&
                          `${unrecorded} events before were not recorded`}
                      </span>
                      <span class="list-when">
                        <Time at={time} />
                      </span>
                    </li>
                  ))}
                </ul>
              )}
            </section>
          </>
        )}
      </Gate>
    </Panel>
  );
}
