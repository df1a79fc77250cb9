// Commands of before: those of the form's topic, and all that failed or expired.

import { topicFault } from '../../../contract/topic.ts';
import type { Command } from '../../client/operations.ts';
import { Card, Empty, Time, Topic } from '../../components/basics.tsx';
import { Gate } from '../../components/gate.tsx';
import { State } from '../../components/state.tsx';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';

const everyMs = 10_000;
const limit = '50';

export function whyOf({ status, error }: Command): string | undefined {
  if (error !== undefined) return error.detail;
  return status === 'expired' ? 'it could not be sent before it expired' : undefined;
}

/** Of one topic, all; else those that need a look. */
async function load(topic: string, signal: AbortSignal) {
  if (topic !== '' && topicFault(topic) === undefined) {
    const result = await client.get('/v1/commands', { query: { topic, limit }, signal });
    return result.ok ? { ...result, value: result.value.commands } : result;
  }
  const found: Command[] = [];
  for (const status of ['failed', 'expired'] as const) {
    const result = await client.get('/v1/commands', { query: { status, limit }, signal });
    if (!result.ok) return result;
    found.push(...result.value.commands);
  }
  found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return { ok: true, value: found, text: '' } as const;
}

export function PastCommands({
  topic,
  chosen,
  newest,
  onChoose,
}: {
  readonly topic: string;
  readonly chosen: string | undefined;
  /** The command that was sent last: the list is asked for again. */
  readonly newest: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  const { shown } = useOwnResource(
    `${topic}\n${newest ?? ''}`,
    (signal) => load(topic, signal),
    everyMs,
  );
  const isOfTopic = topic !== '' && topicFault(topic) === undefined;
  return (
    <Card title={isOfTopic ? 'Commands of this topic' : 'Commands that failed or expired'}>
      <Gate shown={shown}>
        {(commands) =>
          commands.length === 0 ? (
            <Empty
              icon={isOfTopic ? 'publish' : 'check'}
              title={isOfTopic ? 'None was sent to this topic' : 'None failed'}
            />
          ) : (
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
          )
        }
      </Gate>
    </Card>
  );
}
