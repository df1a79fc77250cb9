// All dead letters that match once more to their handlers: counted first, then with progress and a way to cancel.
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import type { Replay } from '../../client/operations.ts';
import { Button } from '../../components/basics.tsx';
import { count, counted } from '../../components/format.ts';
import { FailureNote } from '../../components/gate.tsx';
import { Dialog } from '../../components/overlays.tsx';
import { State } from '../../components/state.tsx';
import { client } from '../../state/session.ts';
import type { Selected } from './groups.ts';

const everyMs = 700;

const isOver = ({ status }: Replay) => ['done', 'cancelled', 'failed'].includes(status);

export function BulkReplay({
  of: { filter, route, reason },
  onDone,
}: {
  readonly of: Selected;
  readonly onDone: () => Promise<void>;
}) {
  const [replay, setReplay] = useState<Replay>();
  const [failure, setFailure] = useState<Failure>();
  const start = async (dryRun: boolean) => {
    const body = {
      filter,
      dryRun,
      ...(route !== undefined && { route }),
      ...(reason !== undefined && { reason }),
    };
    const result = await client.post('/v1/dead-letters/replay', { body });
    setFailure(result.ok ? undefined : result.failure);
    if (result.ok) setReplay(result.value);
  };
  useEffect(() => {
    if (replay === undefined || isOver(replay)) return undefined;
    const timer = setTimeout(async () => {
      const result = await client.get('/v1/replays/{id}', { params: { id: replay.id } });
      setReplay(result.ok ? result.value : { ...replay });
    }, everyMs);
    return () => clearTimeout(timer);
  }, [replay]);
  const close = () => {
    // Not before: what it came to would go with the list.
    if (replay?.dryRun === false) void onDone();
    setReplay(undefined);
    setFailure(undefined);
  };
  const isOpen = replay !== undefined || failure !== undefined;
  return (
    <>
      <Button look="small" icon="retry" onClick={() => start(true)}>
        Replay all that match
      </Button>
      {isOpen && (
        <Dialog label="Replay" onClose={close}>
          <div class="body stack dialog-body">
            <h2>
              Replay {filter === '#' ? 'all topics' : filter}
              {route !== undefined && ` of ${route}`}
              {reason !== undefined && `: ${reason}`}
            </h2>
            {failure !== undefined && <FailureNote failure={failure} />}
            {replay !== undefined && <Progress replay={replay} onStart={() => start(false)} />}
            <div class="row">
              <Button onClick={close}>Close</Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Progress({ replay, onStart }: { readonly replay: Replay; readonly onStart: () => void }) {
  const { status, dryRun, total, delivered, refused, refusals, waiting, reason } = replay;
  if (dryRun && isOver(replay))
    return (
      <>
        <p>
          {total === 0
            ? 'None is there any more.'
            : `${counted(total, 'dead letter')} would go to their handlers again, up to 100 a second, beside what the routes do anyway. What is taken is deleted here; what is refused again stays.`}
        </p>
        {total > 0 && (
          <div class="row">
            <Button look="primary" icon="retry" onClick={onStart}>
              Replay {count(total)}
            </Button>
          </div>
        )}
      </>
    );
  const cancel = () => client.post('/v1/replays/{id}/cancel', { params: { id: replay.id } });
  return (
    <>
      <div class="row">
        <State name={status} />
        <span class="end">
          {count(delivered)} delivered{refused > 0 && `, ${count(refused)} refused`} of{' '}
          {count(total)}
        </span>
      </div>
      <progress aria-label="Delivered" max={Math.max(1, total)} value={delivered + refused} />
      {waiting !== undefined && !isOver(replay) && <p class="dim">{waiting}</p>}
      {reason !== undefined && <p class="tone-bad">{reason}</p>}
      {refusals.length > 0 && (
        <ul class="list">
          {refusals.map(({ topic, id, reason: why }) => (
            <li key={id}>
              <div class="grow">
                <code>{topic}</code>
                <div class="dim small">{why}</div>
              </div>
            </li>
          ))}
        </ul>
      )}
      {!isOver(replay) && (
        <div class="row">
          <Button icon="close" onClick={cancel}>
            Cancel
          </Button>
        </div>
      )}
    </>
  );
}
