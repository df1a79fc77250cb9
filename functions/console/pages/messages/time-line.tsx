// What happened to a message: received, then each route with its tries, then acknowledged, or a dead letter.
import type { ComponentChildren } from 'preact';
import type { MessageTrace } from '../../client/operations.ts';
import { Time } from '../../components/basics.tsx';
import { counted } from '../../components/format.ts';
import { FailureNote, Skeleton } from '../../components/gate.tsx';
import { Icon, type IconName } from '../../components/icon.tsx';
import { iconOf, State, type Tone, toneOf } from '../../components/state.tsx';
import { linkTo } from '../../state/address.ts';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';

type Trace = MessageTrace['traces'][number];

/** While a message waits, its next try is soon. */
const everyMs = 5_000;

export function TimeLine({
  id,
  topic,
  receivedAt,
  qos,
}: {
  readonly id: string;
  readonly topic: string;
  readonly receivedAt: string;
  readonly qos: number;
}) {
  const { shown } = useOwnResource(
    `${topic}\n${id}`,
    (signal) => client.get('/v1/messages/trace', { query: { id, topic }, signal }),
    everyMs,
  );
  const { value, failure } = shown;
  return (
    <section>
      <h3>What happened to it</h3>
      {failure !== undefined && value === undefined && <FailureNote failure={failure} />}
      {failure === undefined && value === undefined && <Skeleton />}
      {value !== undefined && <Steps trace={value} receivedAt={receivedAt} qos={qos} />}
    </section>
  );
}

function Steps({
  trace: { traces, routes = [] },
  receivedAt,
  qos,
}: {
  readonly trace: MessageTrace;
  readonly receivedAt: string;
  readonly qos: number;
}) {
  const traced = new Set(traces.map(({ route }) => route));
  const untraced = routes.filter(({ name }) => !traced.has(name));
  const isWaiting = traces.some(({ state }) => state === 'waiting');
  const isSettled = !isWaiting && untraced.every(({ state }) => state === 'active');
  return (
    <ol class="timeline">
      <Step tone="ok" icon="check" title="Received from the broker" at={receivedAt}>
        QoS {qos}
      </Step>
      {traces.map((trace) => (
        <TraceStep key={`${trace.route}${trace.replayId ?? ''}`} trace={trace} />
      ))}
      {untraced.map(({ name, state }) => (
        <Step
          key={name}
          tone={state === 'active' ? 'ok' : 'quiet'}
          icon={state === 'active' ? 'check' : 'question'}
          title={
            <>
              <a href={linkTo('routes', name)}>{name}</a>{' '}
              {state === 'active' ? 'delivered it at once' : 'has noted no trouble with it'}
            </>
          }
        >
          {state === 'active'
            ? 'without trouble'
            : `the route is ${state}: it may not have got it yet`}
        </Step>
      ))}
      {qos > 0 && (
        <Step
          tone={isSettled ? 'ok' : 'quiet'}
          icon={isSettled ? 'check' : 'ring'}
          title={isSettled ? 'Acknowledged to the broker' : 'Not acknowledged on every session'}
        >
          {isSettled
            ? 'Each route did so on its own session, once it had settled the message.'
            : 'For a route that has not settled it, the broker keeps it.'}
        </Step>
      )}
    </ol>
  );
}

const outcomes: Readonly<Record<Trace['state'], string>> = {
  waiting: 'has not delivered it yet',
  delivered: 'delivered it',
  filtered: 'filtered it out: its where is not true',
  quarantined: 'made it a dead letter',
  refused: 'refused it in a replay',
};

function TraceStep({ trace }: { readonly trace: Trace }) {
  const { route, state, tries, attempts, settledAt, replayId } = trace;
  return (
    <Step
      tone={toneOf(state)}
      icon={iconOf(state)}
      at={settledAt}
      title={
        <>
          <a href={linkTo('routes', route)}>{route}</a> {outcomes[state]}
        </>
      }
      details={attempts.map(({ at, verdict, status, reason, latencyMs }) => (
        <li key={at} class="attempt">
          <State name={verdict} />
          <span class="tag mono">{status ?? '–'}</span>
          <span class="grow">
            {reason !== undefined && `${reason} · `}
            {Math.round(latencyMs)} ms
          </span>
          <span class="dim">
            <Time at={at} as="precise" />
          </span>
        </li>
      ))}
    >
      {replayId !== undefined && 'By a replay. '}
      {counted(tries, 'try', 'tries')}
      {attempts.length < tries && ', of which the first and the last are shown'}
    </Step>
  );
}

function Step({
  tone,
  icon,
  title,
  at,
  children,
  details = [],
}: {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly title: ComponentChildren;
  readonly at?: string | undefined;
  readonly children?: ComponentChildren;
  readonly details?: readonly ComponentChildren[];
}) {
  return (
    <li>
      <span class={`timeline-dot tone-${tone}`}>
        <Icon name={icon} />
      </span>
      <div>
        <b>{title}</b>
        <div class="dim-2 small">{children}</div>
      </div>
      <span class="dim small nowrap">{at !== undefined && <Time at={at} as="precise" />}</span>
      {details.length > 0 && <ol class="attempts">{details}</ol>}
    </li>
  );
}
