// Server-sent events as text: what a reader is told, each event whole.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { Missed } from './reading.ts';

/** How long a client waits before it asks again, in milliseconds, as the stream's first line. */
export function retryLine(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** Keeps the connection in use. */
export const heartbeat = ': alive\n\n';

/** Sets the cursor from which a client goes on; nothing is shown. */
export function cursorLine(cursor: string): string {
  return `id: ${cursor}\n\n`;
}

/** `data` may have lines; a client puts them together again. */
export function event(name: string, data: string, cursor?: string): string {
  const id = cursor === undefined ? '' : `id: ${cursor}\n`;
  const lines = /[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/) : [data];
  return `${id}event: ${name}\n${lines.map((line) => `data: ${line}\n`).join('')}\n`;
}

/** It moves nobody's cursor. */
export function missedEvent({ fromMs, toMs, reason, after }: Missed): string {
  const at = (ms: number) => new Date(ms).toISOString();
  const data = { from: at(fromMs), to: at(toMs), reason, ...(after !== undefined && { after }) };
  return event('missed', JSON.stringify(data));
}
