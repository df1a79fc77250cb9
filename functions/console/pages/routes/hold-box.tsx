// Why a route does not deliver, what happens by itself, whether anything is lost, and what a person can do.
import type { Route } from '../../client/operations.ts';
import { Note, Time } from '../../components/basics.tsx';
import { counted, span } from '../../components/format.ts';
import type { Tone } from '../../components/state.tsx';
import { useSeconds } from '../../state/resource.ts';
import { nextTryText, waitingOf } from './waiting.ts';

type Troubled = Exclude<Route['state'], 'active' | 'standby'>;

interface Told {
  readonly tone: Tone;
  readonly title: string;
  /** What happens by itself. */
  readonly goesOn: string;
}

const told: Readonly<Record<Troubled, Told>> = {
  holding: {
    tone: 'warn',
    title: 'Holding',
    goesOn:
      'The bridge tries again by itself, and goes on in order once the handler takes messages.',
  },
  disabled: {
    tone: 'bad',
    title: 'Disabled by its handler, which answered 410',
    goesOn: 'Nothing is sent until somebody resumes it.',
  },
  disconnected: {
    tone: 'bad',
    title: 'Not connected to the broker',
    goesOn: 'The bridge connects again by itself; the broker keeps what comes meanwhile.',
  },
  unknown: {
    tone: 'warn',
    title: 'Whether it is paused cannot be read',
    goesOn: 'So nothing is sent; the bridge asks again by itself.',
  },
  paused: {
    tone: 'quiet',
    title: 'Paused',
    goesOn: 'Nothing is sent, also over restarts. The broker keeps what comes.',
  },
  removed: {
    tone: 'quiet',
    title: 'No longer in the config',
    goesOn: 'Its sessions end by themselves once their backlog has become dead letters.',
  },
};

const isTroubled = (state: Route['state']): state is Troubled => Object.hasOwn(told, state);

export function HoldBox({ route }: { readonly route: Route }) {
  const { state, reason, cure, since, by, holdingSince, tries = 0, oldestWaitingAt } = route;
  const now = useSeconds(state === 'holding');
  if (!isTroubled(state)) return null;
  const { tone, title, goesOn } = told[state];
  const waiting = waitingOf(route);
  const held = holdingSince === undefined ? '' : ` for ${span(now - Date.parse(holdingSince))}`;
  const keeper = route.backlogMessages === undefined ? 'the bridge has' : 'the broker keeps';
  return (
    <Note
      tone={tone}
      title={reason === undefined ? `${title}${held}.` : `${title}${held}: ${reason}`}
    >
      <p>
        {state === 'paused' && since !== undefined && (
          <>
            Since <Time at={since} />
            {by !== undefined && ` by ${by}`}.{' '}
          </>
        )}
        {goesOn} Nothing is lost
        {waiting > 0 && (
          <>
            : {keeper} <b>{counted(waiting, 'message')}</b>
          </>
        )}
        .
      </p>
      {state === 'holding' && (
        <p>
          {tries > 0 && `Tried ${counted(tries, 'time')}. `}
          <b>{nextTryText(route, now)}</b>
          {oldestWaitingAt !== undefined && (
            <>
              {' '}
              The oldest message is from <Time at={oldestWaitingAt} />.
            </>
          )}
        </p>
      )}
      {cure !== undefined && (
        <p>
          <b>What helps:</b> {cure}
        </p>
      )}
    </Note>
  );
}
