// The forms of an export: a line of JSON for each message, or a row of CSV (RFC 4180).
import { parseAccept } from 'hono/utils/accept';
import type { Message } from '../../contract/message.ts';
import { messageJson, shownPayload } from './representation.ts';

export const ndjsonType = 'application/x-ndjson';
export const csvType = 'text/csv';

export interface ExportFormat {
  readonly type: typeof ndjsonType | typeof csvType;
  /** Stands before the first message. */
  readonly head: string;
  /** With the end of its line. */
  render(message: Message): string;
}

const columns = [
  ...['time', 'topic', 'payload', 'payloadBase64', 'id', 'producerId', 'source'],
  ...['receivedAfter', 'qos', 'retain', 'contentType'],
] as const;

const ndjson: ExportFormat = {
  type: ndjsonType,
  head: '',
  // JSON that a device sent over several lines has ends of line between its parts alone.
  render: (message) => `${messageJson(message).replaceAll(/[\r\n]+/g, ' ')}\n`,
};

const csv: ExportFormat = {
  type: csvType,
  head: row(columns),
  render(message) {
    const payload = shownPayload(message.payload);
    const cells: Partial<Record<(typeof columns)[number], unknown>> = {
      ...message,
      contentType: message.properties?.contentType,
      payload: payload.kind === 'bytes' ? undefined : payload.text,
      payloadBase64: payload.kind === 'bytes' ? payload.base64 : undefined,
    };
    return row(columns.map((column) => String(cells[column] ?? '')));
  },
};

/** CSV for those who prefer it to lines of JSON; those who do not say what they accept get these. */
export function exportFormatOf(accept = ''): ExportFormat {
  const accepted = parseAccept(accept);
  const qualityOf = (...types: string[]) =>
    accepted.find(({ type }) => types.includes(type.toLowerCase()))?.q ?? 0;
  return qualityOf(csvType) > qualityOf(ndjsonType) ? csv : ndjson;
}

function row(cells: readonly string[]): string {
  const quoted = cells.map((cell) =>
    /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return `${quoted.join(',')}\r\n`;
}
