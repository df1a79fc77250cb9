// A message's identity: its id and its time of receipt, minted once and kept over all retries.
import { v7 as uuidv7 } from 'uuid';
import { maxIdBytes } from '../functions/contract/message.ts';

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

/** The producer's own id: the MQTT 5 user property `id`, as in the CloudEvents MQTT binding; or a new one. */
export function messageId(
  userProperties: readonly (readonly [string, string])[] | undefined,
): string {
  const own = userProperties?.find(([name]) => name === 'id')?.[1];
  return own !== undefined && isUsable(own) ? own : uuidv7();
}

function isUsable(id: string): boolean {
  return id !== '' && Buffer.byteLength(id) <= maxIdBytes;
}
