// A message's identity: its id and its time of receipt, minted once and kept over all retries.
import { randomBytes } from 'node:crypto';
import { maxIdBytes } from '../../functions/contract/message.ts';

/**
 * Times of receipt as RFC 3339 with microseconds, strictly increasing: the wall clock gives milliseconds, and
 * the microseconds count the messages within one. So sorting by time is sorting by arrival, also when the
 * clock is set back.
 */
export function createReceiptClock(now: () => number = Date.now): () => string {
  let lastMs = 0;
  let micros = 0;
  let prefix = '';
  return () => {
    const ms = now();
    if (ms > lastMs || micros === 999) {
      lastMs = Math.max(ms, lastMs + 1);
      micros = 0;
      prefix = new Date(lastMs).toISOString().slice(0, -1);
    } else {
      micros++;
    }
    return `${prefix}${micros < 10 ? '00' : micros < 100 ? '0' : ''}${micros}Z`;
  };
}

/**
 * The producer's own id: the MQTT 5 user property `id` of a CloudEvent in the MQTT binding's binary mode, which
 * has `specversion` beside it; alone, `id` may as well be the device's name. Otherwise a new one.
 */
export function messageId(
  userProperties: readonly (readonly [string, string])[] | undefined,
): string {
  if (userProperties === undefined) return mintId();
  const own = userProperties.find(([name]) => name === 'id')?.[1];
  const isEvent = userProperties.some(([name]) => name === 'specversion');
  return isEvent && own !== undefined && isUsable(own) ? own : mintId();
}

/** Random for each process, so that ids of two bridges, or of two lives of one, cannot meet. */
const runId = randomBytes(12).toString('base64url');
let minted = 0;

/** Counted and not random: 16 random bytes a message cost a third of all its CPU. */
function mintId(): string {
  return `${runId}-${++minted}`;
}

function isUsable(id: string): boolean {
  return id !== '' && Buffer.byteLength(id) <= maxIdBytes;
}
