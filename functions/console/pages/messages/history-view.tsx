// The history of a topic as a table: numbers are columns with their change, and the payload stands beside them.
import { useMemo, useState } from 'preact/hooks';
import type { Message } from '../../client/operations.ts';
import { Button, Card, Empty, Time } from '../../components/basics.tsx';
import { counted } from '../../components/format.ts';
import { FailureNote, Skeleton } from '../../components/gate.tsx';
import { PayloadLine } from '../../components/payload.tsx';
import { changeText, numberTable } from './columns.ts';
import { ExportMenu } from './export.tsx';
import { useHistory } from './history.ts';
import { keyOf } from './message-row.tsx';

const pageLimit = 100;

/** What a date field gives, local time, as a time for the api. */
const timeOf = (text: string) => (text === '' ? undefined : new Date(text).toISOString());

export function HistoryView({
  topic,
  chosen,
  onChoose,
}: {
  readonly topic: string;
  readonly chosen: Message | undefined;
  readonly onChoose: (message: Message) => void;
}) {
  const [until, setUntil] = useState('');
  const range = { to: timeOf(until) };
  const { messages, isLoading, failure, more, reload } = useHistory(topic, range, pageLimit);
  const { columns, rows } = useMemo(() => numberTable(messages), [messages]);
  return (
    <Card
      look="messages-card"
      title="History"
      aside={
        <>
          <label class="row small">
            <span class="dim not-narrow">Until</span>
            <input
              class="input date-input"
              type="datetime-local"
              aria-label="Until"
              value={until}
              onInput={(event) => setUntil(event.currentTarget.value)}
            />
          </label>
          <Button look="small icon-only" icon="retry" aria-label="Newest again" onClick={reload} />
          <ExportMenu filter={topic} range={range} />
        </>
      }
    >
      {failure !== undefined && <FailureNote failure={failure} />}
      <div class="messages table-scroll">
        {messages.length > 0 && (
          <table>
            <thead>
              <tr>
                <th>Received</th>
                {columns.map(({ path }) => (
                  <th key={path} class="number">
                    {path === '' ? 'value' : path}
                  </th>
                ))}
                <th class="column-payload">Payload</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ message, cells }) => (
                <tr
                  key={keyOf(message)}
                  class={`opens ${chosen !== undefined && keyOf(chosen) === keyOf(message) ? 'selected' : ''}`}
                  onClick={() => onChoose(message)}
                >
                  <td class="nowrap">
                    <button
                      type="button"
                      class="row-link mono"
                      data-row
                      onClick={() => onChoose(message)}
                    >
                      <Time at={message.time} as="precise" />
                    </button>
                  </td>
                  {cells.map((cell, index) => (
                    <td key={columns[index]?.path} class="number">
                      {cell !== undefined && (
                        <>
                          {cell.value.toFixed(columns[index]?.decimals)}
                          <span class="change">
                            {cell.change !== undefined &&
                              changeText(cell.change, columns[index]?.decimals ?? 0)}
                          </span>
                        </>
                      )}
                    </td>
                  ))}
                  <td class="cut mono">
                    <PayloadLine of={message} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {messages.length === 0 && isLoading && <Skeleton />}
        {messages.length === 0 && !isLoading && failure === undefined && (
          <Empty icon="messages" title="No messages here">
            <p>Nothing is stored of {topic} in this time.</p>
          </Empty>
        )}
      </div>
      <footer>
        <span>{counted(messages.length, 'message')}, the newest first</span>
        {more !== undefined && (
          <Button look="small" disabled={isLoading} onClick={more}>
            {isLoading ? 'Loading …' : 'Older'}
          </Button>
        )}
      </footer>
    </Card>
  );
}
