// The past of a route: its states over a day, and its last requests.
import { useState } from 'preact/hooks';
import type { Route } from '../../client/operations.ts';
import { Button, Card, Time, Topic } from '../../components/basics.tsx';
import { count } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { Strip } from '../../components/small-pictures.tsx';
import { State } from '../../components/state.tsx';
import { linkTo } from '../../state/address.ts';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';

const dayMs = 86_400_000;
const statesEveryMs = 30_000;
const attemptsEveryMs = 5_000;
const firstAttempts = 8;

export function StateStrip({ route: { name, state } }: { readonly route: Route }) {
  const { shown } = useOwnResource(
    `${name} ${state}`,
    (signal) => client.get('/v1/routes/{name}/states', { params: { name }, signal }),
    statesEveryMs,
  );
  return (
    <Gate shown={shown}>
      {({ states }) => {
        const now = Date.now();
        const [latest] = states;
        return (
          <Card
            title="States of the last day"
            aside={
              <span class="row wrap small">
                {[...new Set(states.map((one) => one.state))].map((one) => (
                  <State key={one} name={one} />
                ))}
              </span>
            }
          >
            <div class="body stack small-gap">
              <Strip
                label={`States of ${name} over a day; ${state} now`}
                from={now - dayMs}
                to={now}
                periods={states
                  .toReversed()
                  .map((one) => ({ at: Date.parse(one.at), state: one.state }))}
              />
              <div class="row small dim">
                <Time at={now - dayMs} />
                <span class="end">
                  {latest !== undefined && (
                    <>
                      {latest.state} since <Time at={latest.at} />
                      {latest.by !== undefined && `, by ${latest.by}`}
                    </>
                  )}
                </span>
              </div>
            </div>
          </Card>
        );
      }}
    </Gate>
  );
}

export function Attempts({ route: { name } }: { readonly route: Route }) {
  const [isWhole, setWhole] = useState(false);
  const { shown } = useOwnResource(
    name,
    (signal) => client.get('/v1/routes/{name}/attempts', { params: { name }, query: {}, signal }),
    attemptsEveryMs,
  );
  return (
    <Gate shown={shown}>
      {({ attempts }) => (
        <Card
          title="Last requests"
          look="scroll-x"
          aside={<span class="dim small">the bridge remembers 100</span>}
        >
          {attempts.length === 0 ? (
            <p class="body dim">No request has been sent since the bridge started.</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th>At</th>
                  <th>Outcome</th>
                  <th>Status</th>
                  <th class="column-rest">Message</th>
                  <th class="number not-narrow">Messages</th>
                  <th class="number">Latency</th>
                </tr>
              </thead>
              <tbody>
                {attempts
                  .slice(0, isWhole ? attempts.length : firstAttempts)
                  .map(({ at, verdict, status, reason, topic, messageId, messages, latencyMs }) => (
                    <tr key={`${at} ${messageId}`}>
                      <td class="nowrap">
                        <Time at={at} as="precise" />
                      </td>
                      <td>
                        <State name={verdict} />
                      </td>
                      <td>
                        <span class="tag mono">{status ?? '–'}</span>
                      </td>
                      <td class="cut">
                        <a href={linkTo('messages', undefined, { filter: topic, view: 'history' })}>
                          <Topic name={topic} />
                        </a>
                        {reason !== undefined && <div class="sub truncated">{reason}</div>}
                      </td>
                      <td class="number not-narrow">{count(messages)}</td>
                      <td class="number">
                        {count(Math.round(latencyMs))}
                        <span class="dim"> ms</span>
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
          )}
          {attempts.length > firstAttempts && (
            <footer>
              <Button look="small" onClick={() => setWhole(!isWhole)}>
                {isWhole ? 'Fewer' : `All ${attempts.length}`}
              </Button>
            </footer>
          )}
        </Card>
      )}
    </Gate>
  );
}
