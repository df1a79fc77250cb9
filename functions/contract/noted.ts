// When ingest has noted what a request stored, as the bridge carries it from one instance of ingest to the next: what it
// sends then is noted later, whatever their clocks say. So notes tell the order of storing (a hybrid logical clock).

/** In an answer of ingest, where it noted anything, and in the next requests of the same route: milliseconds since 1970. */
export const notedHeader = 'causeway-noted';

/** The time in a header; undefined where there is none. */
export function notedMsIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
