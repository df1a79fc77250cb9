// Numbers, sizes and spans of time as people read them.

const whole = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

export const count = (value: number): string => whole.format(value);

/** A rate: whole where it is large. */
export const rate = (value: number): string =>
  value >= 100 ? whole.format(Math.round(value)) : oneDecimal.format(value);

export const short = (value: number): string =>
  value < 10_000 ? whole.format(value) : compact.format(value);

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2
    ? `${oneDecimal.format(bytes / 1024)} KiB`
    : `${oneDecimal.format(bytes / 1024 ** 2)} MiB`;
}

/** `2 messages`, `1 message`. */
export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${whole.format(value)} ${value === 1 ? noun : plural}`;

/** The largest unit, and a second one where it says something. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24)
    return hours < 10 && minutes % 60 > 0 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return days < 3 && hours % 24 > 0 ? `${days} d ${hours % 24} h` : `${days} d`;
}

const minutes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const seconds = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const dayAndYear = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});

/** `clock` to the second, `precise` to the millisecond, `brief` to the minute or the day, `ago` as an age. */
export type TimeStyle = 'clock' | 'precise' | 'brief' | 'ago';

/** Local time; with the day where it is not today. */
export function timeText(timeMs: number, style: TimeStyle, nowMs = Date.now()): string {
  if (style === 'ago') return `${span(nowMs - timeMs)} ago`;
  const isToday = new Date(timeMs).toDateString() === new Date(nowMs).toDateString();
  const isThisYear = new Date(timeMs).getFullYear() === new Date(nowMs).getFullYear();
  const date = (isThisYear ? day : dayAndYear).format(timeMs);
  if (style === 'brief') return isToday ? minutes.format(timeMs) : date;
  const ms = String(new Date(timeMs).getMilliseconds()).padStart(3, '0');
  const clock = seconds.format(timeMs) + (style === 'precise' ? `.${ms}` : '');
  return isToday ? clock : `${date}, ${clock}`;
}

/** Of counted groups. */
export const sumOf = (groups: readonly { readonly count: number }[]): number =>
  groups.reduce((sum, group) => sum + group.count, 0);
