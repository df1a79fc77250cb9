// Presence messages as the brokers send them, for tests.
import type { Message } from '../../functions/contract/message.ts';
import { message } from './messages.ts';

export interface EmbeddedFacts {
  readonly clientId: string;
  readonly epoch: number;
  readonly atMs: number;
  readonly reason?: string;
}

/** A time of the tests, in the past so that nothing has expired and nothing is to come. */
export const startMs = Date.now() - 3_600_000;

const facts = ({ clientId, epoch, atMs }: EmbeddedFacts) => ({
  clientId,
  user: null,
  address: '127.0.0.1',
  transport: 'tcp',
  epoch,
  time: new Date(atMs).toISOString(),
});

/** `$events/client/connected` of the embedded broker. */
export function connected(given: EmbeddedFacts): Message {
  const payload = { ...facts(given), clean: true, keepAliveSeconds: 60 };
  return message({ topic: '$events/client/connected', text: JSON.stringify(payload) });
}

/** `$events/client/disconnected`. */
export function disconnected(given: EmbeddedFacts): Message {
  const payload = { ...facts(given), reason: given.reason ?? 'clean' };
  return message({ topic: '$events/client/disconnected', text: JSON.stringify(payload) });
}

/** A permutation of a list, the same for the same seed. */
export function shuffled<T>(list: readonly T[], seed = 1): T[] {
  const result = [...list];
  let state = seed;
  for (let index = result.length - 1; index > 0; index--) {
    // Park and Miller's generator.
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (index + 1);
    const [a, b] = [result[index], result[other]];
    if (a === undefined || b === undefined) continue;
    [result[index], result[other]] = [b, a];
  }
  return result;
}
