// The table's own time, as the Date of its answers tells it: what is sorted by time over several machines needs one clock.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** A Date has whole seconds, and machines that are set by NTP differ by less. */
const toleratedMs = 2000;

/**
 * The time in milliseconds since 1970: this machine's, corrected by how far the last answer of `client` says that it is
 * ahead or behind. `now` is this machine's clock.
 */
export function followTableClock(client: DynamoDBClient, now: () => number = Date.now) {
  let correctionMs = 0;
  client.middlewareStack.add(
    (next) => async (args) => {
      const sentMs = now();
      const result = await next(args);
      const { headers } = (result.response ?? {}) as { headers?: Record<string, string> };
      const dateMs = Date.parse(headers?.['date'] ?? '');
      if (!Number.isNaN(dateMs)) correctionMs = correctionOf(dateMs, sentMs, now());
      return result;
    },
    // Next to the network, before an answer is turned into an error.
    { step: 'deserialize', priority: 'low', name: 'followTableClock', override: true },
  );
  return () => now() + correctionMs;
}

/** What to add to a clock that read `sentMs` and `receivedMs` around an answer of that date. */
export function correctionOf(dateMs: number, sentMs: number, receivedMs: number): number {
  if (dateMs < sentMs - toleratedMs) return dateMs - sentMs;
  if (dateMs > receivedMs + toleratedMs) return dateMs - receivedMs;
  return 0;
}
