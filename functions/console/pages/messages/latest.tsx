// The newest message of every topic that the filter matches.
import type { Message } from '../../client/operations.ts';
import { Card, Empty, Time } from '../../components/basics.tsx';
import { counted } from '../../components/format.ts';
import { Gate } from '../../components/gate.tsx';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { ExportMenu } from './export.tsx';
import { keyOf, MessageRow } from './message-row.tsx';

const everyMs = 5_000;
const maxTopics = 200;

export function Latest({
  filter,
  chosen,
  onChoose,
}: {
  readonly filter: string;
  readonly chosen: Message | undefined;
  readonly onChoose: (message: Message) => void;
}) {
  const { shown } = useOwnResource(
    filter,
    (signal) =>
      client.get('/v1/messages/latest', { query: { filter, limit: String(maxTopics) }, signal }),
    everyMs,
  );
  return (
    <Gate shown={shown}>
      {({ messages, nextCursor, hint }) => {
        const newest = [...messages].sort((a, b) => (a.time < b.time ? 1 : -1));
        return (
          <Card
            look="messages-card"
            title="The newest of each topic"
            aside={
              <>
                <span class="dim small">
                  {counted(messages.length, 'topic')}
                  {nextCursor !== undefined && ', the first by name'}
                  {shown.at !== undefined && (
                    <span class="not-narrow">
                      , as of <Time at={shown.at} />
                    </span>
                  )}
                </span>
                <ExportMenu filter={filter} />
              </>
            }
          >
            <div class="messages">
              {newest.map((message) => (
                <MessageRow
                  key={message.topic}
                  message={message}
                  isChosen={chosen !== undefined && keyOf(chosen) === keyOf(message)}
                  onChoose={onChoose}
                />
              ))}
              {newest.length === 0 && (
                <Empty icon="messages" title={`Nothing is stored of ${filter}`}>
                  <p>
                    {hint ?? 'Either nothing was published there, or this token may not read it.'}
                  </p>
                </Empty>
              )}
            </div>
          </Card>
        );
      }}
    </Gate>
  );
}
