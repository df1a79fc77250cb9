// Stored messages as a file: an export of the api, answer by answer, with how far it is.
import { useState } from 'preact/hooks';
import { urlOf } from '../../client/client.ts';
import { Button } from '../../components/basics.tsx';
import { size } from '../../components/format.ts';
import { Menu } from '../../components/overlays.tsx';
import { client } from '../../state/session.ts';
import { say } from '../../state/toast.ts';
import type { Range } from './history.ts';

/** Characters of one file at most: it is put together in the browser's memory. */
const maxCharacters = 200_000_000;

const formats = {
  ndjson: { name: 'Lines of JSON', type: 'application/x-ndjson' },
  csv: { name: 'CSV', type: 'text/csv' },
} as const;

type Format = keyof typeof formats;

export function ExportMenu({
  filter,
  range = {},
}: {
  readonly filter: string;
  readonly range?: Range;
}) {
  const [run, setRun] = useState<{ readonly stop: AbortController; readonly read: number }>();
  const start = async (format: Format) => {
    const stop = new AbortController();
    const { type } = formats[format];
    // Without an end it would go on for as long as there is something new.
    const to = range.to ?? new Date().toISOString();
    let url: string | undefined = urlOf('/v1/messages', { query: { filter, ...range, to } });
    const parts: string[] = [];
    let read = 0;
    while (url !== undefined && read < maxCharacters) {
      setRun({ stop, read });
      const result = await client.text(url, type, stop.signal);
      if (stop.signal.aborted || !result.ok) {
        setRun(undefined);
        say(result.ok || stop.signal.aborted ? 'Export cancelled' : `${result.failure.title}`);
        return;
      }
      parts.push(result.value.text);
      read += result.value.text.length;
      url = result.value.next;
    }
    setRun(undefined);
    const file = new Blob(parts, { type });
    save(file, `${filter.replaceAll(/[^\w-]+/g, '_')}.${format}`);
    say(`${size(file.size)} saved${url === undefined ? '' : '; there is more: npm run export'}`);
  };
  if (run !== undefined)
    return (
      <Button look="small" icon="close" onClick={() => run.stop.abort()}>
        {size(run.read)} … Cancel
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
