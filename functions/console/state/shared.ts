// What several parts of the console look at, asked for once for all of them; most often what a person notices at once.
import { forAdmin, me, seesClients } from './me.ts';
import { createResource } from './resource.ts';
import { client } from './session.ts';

export const routes = createResource(
  forAdmin((signal) => client.get('/v1/routes', { signal })),
  5_000,
);

/** Dead letters by route and reason. */
export const deadLetters = createResource(
  (signal) => client.get('/v1/dead-letters/summary', { signal }),
  15_000,
);

export const presence = createResource(async (signal) => {
  const { value } = me.value;
  return value !== undefined && !seesClients(value)
    ? { ok: true, value: { clients: [] }, text: '' }
    : client.get('/v1/presence', { query: { limit: '1000' }, signal });
}, 15_000);

export const topics = createResource(
  (signal) => client.get('/v1/topics', { query: { limit: '1000' }, signal }),
  15_000,
);
