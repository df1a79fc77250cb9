// One dead letter: why, what happened to it, its bytes; to be replayed, or deleted for good.
import { useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import { Button, Facts, Note, Time, Topic } from '../../components/basics.tsx';
import { counted } from '../../components/format.ts';
import { FailureNote, Gate } from '../../components/gate.tsx';
import { Panel } from '../../components/overlays.tsx';
import { PayloadView } from '../../components/payload.tsx';
import { TwoStepButton } from '../../components/two-step-button.tsx';
import { change, linkTo } from '../../state/address.ts';
import { hasRight, me } from '../../state/me.ts';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { useStore } from '../../state/store.ts';
import { say } from '../../state/toast.ts';
import { TimeLine } from '../messages/time-line.tsx';

const close = () => change({}, '');

export function DeadLetterPanel({
  id,
  onGone,
}: {
  readonly id: string;
  readonly onGone: () => Promise<void>;
}) {
  const { shown } = useOwnResource(id, (signal) =>
    client.get('/v1/dead-letters/{id}', { params: { id }, signal }),
  );
  const caller = useStore(me).value;
  const mayDelete = caller !== undefined && hasRight(caller, 'delete');
  const [isRunning, setRunning] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const done = async (text: string) => {
    say(text);
    close();
    await onGone();
  };
  const replay = async () => {
    setRunning(true);
    const result = await client.post('/v1/dead-letters/{id}/replay', { params: { id } });
    setRunning(false);
    if (result.ok) await done('Delivered: the handler took it');
    else setFailure(result.failure);
  };
  const remove = async () => {
    const result = await client.delete('/v1/dead-letters/{id}', { params: { id } });
    if (result.ok) await done('Deleted for good');
    else setFailure(result.failure);
  };
  const topic = shown.value?.topic;
  return (
    <Panel
      label={id}
      title={topic === undefined ? 'Dead letter' : <Topic name={topic} />}
      sub={shown.value !== undefined && <Time at={shown.value.message.time} as="precise" />}
      onClose={close}
      {...(mayDelete && {
        footer: (
          <>
            <Button look="primary" icon="retry" disabled={isRunning} onClick={replay}>
              {isRunning ? 'Asking the handler …' : 'Replay'}
            </Button>
            <TwoStepButton
              label="Delete"
              sureLabel="Delete it for good"
              onSure={() => void remove()}
            />
          </>
        ),
      })}
    >
      {failure !== undefined && <FailureNote failure={failure} />}
      <Gate shown={shown}>
        {({ message, route, reason, attempts, quarantinedAt, expiresAt }) => (
          <>
            <Note tone="bad" title={reason}>
              <p>
                <a href={linkTo('routes', route)}>{route}</a> tried {counted(attempts, 'time')} and
                set it aside, so that others flow. Mend the handler or the message, and replay it.
              </p>
            </Note>
            <TimeLine
              id={message.id}
              topic={message.topic}
              receivedAt={message.time}
              qos={message.qos}
            />
            <PayloadView of={message} />
            <section>
              <h3>Properties</h3>
              <Facts
                of={[
                  ['Dead since', <Time at={quarantinedAt} />],
                  ['Deleted', expiresAt === undefined ? 'never' : <Time at={expiresAt} />],
                  ['Id', <code>{message.id}</code>],
                  ['Source', <code>{message.source}</code>],
                  ['QoS', message.qos],
                  ['Content type', message.contentType],
                ]}
              />
            </section>
          </>
        )}
      </Gate>
    </Panel>
  );
}
