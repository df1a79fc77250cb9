// Times as they are kept and told: RFC 3339, UTC, microseconds or whole seconds.

/** A time in ms since 1970, whose microseconds are not known and written as 0. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** The last second of four digits of a year, in ms since 1970. */
const lastSecondMs = Date.parse('9999-12-31T23:59:59Z');

/** A time in ms since 1970, in whole seconds; one beyond all that can be written is the last that can. */
export function secondText(ms: number): string {
  return `${new Date(Math.min(ms, lastSecondMs)).toISOString().slice(0, 19)}Z`;
}
