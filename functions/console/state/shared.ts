// What several parts of the console look at, asked for once for all of them.
import { createResource } from './resource.ts';
import { client } from './session.ts';

/** Dead letters by route and reason. */
export const deadLetters = createResource(
  (signal) => client.get('/v1/dead-letters/summary', { signal }),
  15_000,
);

export const topics = createResource(
  (signal) => client.get('/v1/topics', { query: { limit: '1000' }, signal }),
  15_000,
);
