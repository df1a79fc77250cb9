// Commands of before: those of the form's topic, and all that failed or expired.
import { topicFault } from '../../../contract/topic.ts';
import type { Command } from '../../client/operations.ts';
import { Card, Empty, Time, Topic } from '../../components/basics.tsx';
import { Gate } from '../../components/gate.tsx';
import { State } from '../../components/state.tsx';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { troubledCommands } from '../../state/states.ts';
import { useStore } from '../../state/store.ts';

const everyMs = 10_000;
const limit = '50';

export function whyOf({ status, error }: Command): string | undefined {
  if (error !== undefined) return error.detail;
  return status === 'expired' ? 'it could not be sent before it expired' : undefined;
}

interface Chosen {
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}

export function PastCommands({
  topic,
  newest,
  ...chosen
}: Chosen & {
  readonly topic: string;
  /** The command that was sent last: the list is asked for again. */
  readonly newest: string | undefined;
}) {
  return topic !== '' && topicFault(topic) === undefined ? (
    <OfTopic topic={topic} newest={newest} {...chosen} />
  ) : (
    <Troubled {...chosen} />
  );
}

function OfTopic({
  topic,
  newest,
  ...chosen
}: Chosen & { readonly topic: string; readonly newest: string | undefined }) {
  const { shown } = useOwnResource(
    `${topic}\n${newest ?? ''}`,
    (signal) => client.get('/v1/commands', { query: { topic, limit }, signal }),
    everyMs,
  );
  return (
    <Card title="Commands of this topic">
      <Gate shown={shown}>
        {({ commands }) =>
          commands.length === 0 ? (
            <Empty icon="publish" title="None was sent to this topic" />
          ) : (
            <List commands={commands} {...chosen} />
          )
        }
      </Gate>
    </Card>
  );
}

function Troubled(chosen: Chosen) {
  return (
    <Card title="Commands that failed or expired">
      <Gate shown={useStore(troubledCommands)}>
        {({ commands }) =>
          commands.length === 0 ? (
            <Empty icon="check" title="None failed" />
          ) : (
            <List commands={commands} {...chosen} />
          )
        }
      </Gate>
    </Card>
  );
}

function List({ commands, chosen, onChoose }: Chosen & { readonly commands: readonly Command[] }) {
  return (
    <ul class="list">
      {commands.map((command) => (
        <li key={command.id}>
          <State name={command.status} />
          <div class="grow">
            <button
              type="button"
              class="row-link"
              data-row
              aria-current={command.id === chosen}
              onClick={() => onChoose(command.id)}
            >
              <Topic name={command.topic} />
            </button>
            <div class="dim small">{whyOf(command)}</div>
          </div>
          <span class="list-when">
            <Time at={command.createdAt} />
          </span>
        </li>
      ))}
    </ul>
  );
}
