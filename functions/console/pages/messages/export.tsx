// Stored messages as a file: pages of the api, one after the other, with how far it is.
import { useState } from 'preact/hooks';
import type { Message } from '../../client/operations.ts';
import { Button } from '../../components/basics.tsx';
import { count } from '../../components/format.ts';
import { Menu } from '../../components/overlays.tsx';
import { textOf } from '../../components/payload-text.ts';
import { client } from '../../state/session.ts';
import { say } from '../../state/toast.ts';
import type { Range } from './history.ts';

/** Messages in one file at most: it is put together in the browser's memory. */
const maxMessages = 100_000;

const csvCell = (text: string) => `"${text.replaceAll('"', '""')}"`;

const formats = {
  jsonl: {
    name: 'JSON Lines',
    type: 'application/x-ndjson',
    head: '',
    line: (message: Message) => JSON.stringify(message),
  },
  csv: {
    name: 'CSV',
    type: 'text/csv',
    head: 'time,topic,id,qos,retain,payload\n',
    line: (message: Message) =>
      [
        message.time,
        csvCell(message.topic),
        csvCell(message.id),
        message.qos,
        message.retain,
        csvCell(textOf(message) ?? `base64:${message.payloadBase64}`),
      ].join(','),
  },
} as const;

type Format = keyof typeof formats;

export function ExportMenu({ topic, range }: { readonly topic: string; readonly range: Range }) {
  const [run, setRun] = useState<{ readonly stop: AbortController; readonly messages: number }>();
  const start = async (format: Format) => {
    const stop = new AbortController();
    const { head, line, type } = formats[format];
    const parts: string[] = [head];
    let cursor: string | undefined;
    let messages = 0;
    do {
      setRun({ stop, messages });
      const query = { topic, ...range, order: 'oldest' as const, limit: '1000', cursor };
      const result = await client.get('/v1/messages', { query, signal: stop.signal });
      if (stop.signal.aborted || !result.ok) {
        setRun(undefined);
        say(result.ok || stop.signal.aborted ? 'Export cancelled' : `${result.failure.title}`);
        return;
      }
      for (const message of result.value.messages) parts.push(`${line(message)}\n`);
      messages += result.value.messages.length;
      cursor = result.value.nextCursor;
    } while (cursor !== undefined && messages < maxMessages);
    setRun(undefined);
    save(new Blob(parts, { type }), `${topic.replaceAll('/', '_')}.${format}`);
    const isCut = cursor !== undefined;
    say(`${count(messages)} messages saved${isCut ? ', the oldest; there are more' : ''}`);
  };
  if (run !== undefined)
    return (
      <Button look="small" icon="close" onClick={() => run.stop.abort()}>
        {count(run.messages)} … Cancel
      </Button>
    );
  return (
    <Menu
      look="small"
      label="Export"
      icon="download"
      items={Object.entries(formats).map(([format, { name }]) => ({
        text: name,
        hint: 'oldest first',
        onChoose: () => void start(format as Format),
      }))}
    />
  );
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
