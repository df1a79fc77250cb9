// What a person can do to a route: pause, resume, try again now. Each can be undone, and takes one press.
import { useState } from 'preact/hooks';
import type { Route } from '../../client/operations.ts';
import { Button } from '../../components/basics.tsx';
import { client } from '../../state/session.ts';
import { routes } from '../../state/states.ts';
import { say } from '../../state/toast.ts';

type Change = 'pause' | 'resume' | 'retry';

const paths = {
  pause: '/v1/routes/{name}/pause',
  resume: '/v1/routes/{name}/resume',
  retry: '/v1/routes/{name}/retry',
} as const;
const said = { pause: 'is paused', resume: 'is resumed', retry: 'tries again now' } as const;

export function RouteActions({
  route: { name, state },
  isShort = false,
}: {
  readonly route: Route;
  /** Only what helps now. */
  readonly isShort?: boolean;
}) {
  const [running, setRunning] = useState<Change>();
  const change = async (kind: Change) => {
    setRunning(kind);
    const result = await client.post(paths[kind], { params: { name } });
    setRunning(undefined);
    say(result.ok ? `${name} ${said[kind]}` : `${result.failure.title}: ${result.failure.code}`);
    routes.reload();
  };
  const isStopped = state === 'paused' || state === 'disabled';
  const canPause = !isShort && !isStopped && state !== 'removed';
  return (
    <>
      {canPause && (
        <Button icon="pause" disabled={running !== undefined} onClick={() => change('pause')}>
          Pause
        </Button>
      )}
      {isStopped && (
        <Button
          look={isShort ? '' : 'primary'}
          icon="play"
          disabled={running !== undefined}
          onClick={() => change('resume')}
        >
          Resume
        </Button>
      )}
      {state === 'holding' && (
        <Button
          look={isShort ? '' : 'primary'}
          icon="retry"
          disabled={running !== undefined}
          onClick={() => change('retry')}
        >
          Retry now
        </Button>
      )}
    </>
  );
}
