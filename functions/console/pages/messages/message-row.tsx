// A message in a list, in one line: when, where, what, and how it came.
import type { Message } from '../../client/operations.ts';
import { Time, Topic } from '../../components/basics.tsx';
import { PayloadLine } from '../../components/payload.tsx';

export function MessageRow({
  message,
  isChosen,
  isNew = false,
  onChoose,
}: {
  readonly message: Message;
  readonly isChosen: boolean;
  readonly isNew?: boolean;
  readonly onChoose: (message: Message) => void;
}) {
  const { topic, time, qos, retain } = message;
  return (
    <button
      type="button"
      class={`message-row ${isNew ? 'arrived' : ''}`}
      data-row
      aria-current={isChosen}
      onClick={() => onChoose(message)}
    >
      <span class="message-time">
        <Time at={time} as="precise" />
      </span>
      <Topic name={topic} />
      <span class="message-payload truncated">
        <PayloadLine of={message} />
      </span>
      <span class="message-flags">
        {retain && <span class="tag">retained</span>}
        {qos !== 1 && <span class="tag">QoS {qos}</span>}
      </span>
    </button>
  );
}

/** What tells two messages apart. */
export const keyOf = ({ topic, time, id }: Message): string => `${topic}\n${time}\n${id}`;
