// One command: recorded, acknowledged by the broker, answered by the device; or why not.
import type { ComponentChildren } from 'preact';
import type { CommandWithHistory } from '../../client/operations.ts';
import { Facts, Note, Time } from '../../components/basics.tsx';
import { PayloadView } from '../../components/payload.tsx';

type Status = CommandWithHistory['status'];

const ended: ReadonlySet<Status> = new Set<Status>(['answered', 'failed', 'expired']);

/** Whether nothing more will happen to it. */
export const isEnded = ({
  status,
  awaitsReply,
}: Pick<CommandWithHistory, 'status' | 'awaitsReply'>) =>
  ended.has(status) || (status === 'sent' && awaitsReply !== true);

export function CommandView({ command }: { readonly command: CommandWithHistory }) {
  const { status, error, reply, history, hadSubscribers, awaitsReply, createdAt, sentAt } = command;
  const isFailed = status === 'failed' || status === 'expired';
  const answeredAt = history.find((one) => one.status === 'answered')?.at;
  const endedAt = history.find((one) => one.status === status)?.at;
  return (
    <div class="stack">
      <ol class="steps">
        <Step name="Recorded" at={createdAt} look="done" />
        <Step
          name={
            isFailed && sentAt === undefined
              ? status === 'failed'
                ? 'Failed'
                : 'Expired'
              : 'Acknowledged by the broker'
          }
          at={sentAt ?? (isFailed ? endedAt : undefined)}
          look={sentAt !== undefined ? 'done' : isFailed ? 'failed' : 'now'}
        />
        <Step
          name="Answered by the device"
          at={answeredAt}
          look={
            status === 'answered'
              ? 'done'
              : isFailed && sentAt !== undefined
                ? 'failed'
                : awaitsReply
                  ? 'now'
                  : ''
          }
        >
          {status !== 'answered' && awaitsReply !== true && 'not asked for'}
        </Step>
      </ol>
      {error !== undefined && (
        <Note tone="bad" title={error.detail}>
          <p class="dim-2">
            <code>{error.code}</code>. It is not sent again: mend the cause, and send it once more.
          </p>
        </Note>
      )}
      {status === 'expired' && (
        <Note tone="warn" title="It could not be sent before it expired">
          <p>
            Bridge or broker were away for longer than its expiry. Give it more seconds, or send it
            again.
          </p>
        </Note>
      )}
      {hadSubscribers === false && (
        <Note tone="warn" title="Nobody was subscribed">
          <p>
            The broker took it and had no one to give it to: look whether the device is connected
            and listens.
          </p>
        </Note>
      )}
      {reply !== undefined && (
        <>
          <p class="small dim">
            Answer on <code>{reply.topic}</code>, <Time at={reply.receivedAt} as="precise" />
          </p>
          <PayloadView of={reply} />
        </>
      )}
      <Facts
        of={[
          ['Id', <code>{command.id}</code>],
          ['QoS', `${command.qos}${command.retain ? ', retained' : ''}`],
          ['Expires', <Time at={command.expiresAt} />],
        ]}
      />
    </div>
  );
}

function Step({
  name,
  at,
  look,
  children,
}: {
  readonly name: string;
  readonly at: string | undefined;
  readonly look: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <li class={look}>
      <b>{name}</b>
      <span class="dim small">
        {at === undefined ? look === 'now' ? 'waiting …' : children : <Time at={at} as="precise" />}
      </span>
    </li>
  );
}
