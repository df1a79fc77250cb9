// /v1/presence and /v1/presence/events: which clients of the broker are online, since when, and what became of one.
import * as z from 'zod';
import { dampingAt } from '../../contract/flap-damping.ts';
import { type PresenceState, presenceStatuses } from '../../contract/presence.ts';
import { timeText } from '../../contract/time.ts';
import { stringFault } from '../../contract/topic.ts';
import type { RecordEntry } from '../../table/presence-item.ts';
import { missing } from '../access/scopes.ts';
import type { Cursors } from '../interface/cursor.ts';
import { filterHint } from '../interface/hints.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import { type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import {
  cursorParameter,
  filterParameter,
  hintField,
  limitParameter,
  nextCursorField,
  timeParameter,
} from '../interface/parameters.ts';
import type { PresenceReader } from './reader.ts';
import { clientsSeenBy, presenceTopic } from './rights.ts';

const time = z.iso.datetime({ precision: 6 });
const reason = z.string().optional().describe("Why the connection ended, in the broker's words.");

const clientSchema = z
  .strictObject({
    clientId: z.string(),
    status: z.enum(presenceStatuses),
    since: time.describe(
      'Since when; of a client that reconnected, since its newest connection. As the broker says.',
    ),
    lastEventAt: time.describe('When the latest event happened that is known of it.'),
    reason,
    flaps: z
      .int()
      .min(0)
      .describe(
        'Connections and disconnections of late; a reconnect is two. 0 again after 5 to 30 minutes without.',
      ),
    flapping: z
      .boolean()
      .describe(
        'Comes and goes so often that its history is not recorded until it has been calm for a while, at most 20 minutes.',
      ),
  })
  .meta({ id: 'ClientPresence', description: 'A client of the broker.' });

const eventSchema = z
  .strictObject({
    time: time.describe('When it happened, as the broker says.'),
    event: z
      .enum(['connected', 'disconnected', 'flapping', 'calm'])
      .describe('`flapping`: from here on nothing is recorded. `calm`: from here on it is again.'),
    reason,
    unrecorded: z
      .int()
      .min(1)
      .optional()
      .describe('Of `calm`: how many events were not recorded before it.'),
  })
  .meta({ id: 'PresenceEvent', description: 'A connection that began or ended.' });

const rights =
  'A client is seen with the scope `admin`, or `read:$presence/<filter>` where the filter matches its id; `read:#` matches no topic that starts with `$`.';

const clientsQuery = z.strictObject({
  filter: filterParameter.default('#').meta({
    description:
      'A topic filter that client ids are matched with. What the token may not read is left out.',
    examples: ['demo-kitchen'],
  }),
  status: z
    .enum(presenceStatuses, 'must be online or offline')
    .optional()
    .describe('Only clients with this status.'),
  limit: limitParameter,
  cursor: cursorParameter,
});

const eventsQuery = z.strictObject({
  clientId: z
    .string('is required')
    .min(1, 'must not be empty')
    .superRefine((id, context) => {
      const fault = stringFault(id);
      if (fault !== undefined) context.addIssue(fault);
    })
    .meta({ description: 'Id of the client, to the letter.', examples: ['demo-kitchen'] }),
  from: timeParameter.optional().describe('First time that belongs to the answer.'),
  to: timeParameter.optional().describe('First time that no longer does.'),
  limit: limitParameter,
  cursor: cursorParameter,
});

const listPresence = {
  id: 'listPresence',
  method: 'get',
  path: '/v1/presence',
  tag: 'Presence',
  summary: 'Clients of the broker, and whether they are online',
  description: `Of a broker that tells it, or of devices that say so by a last will. A client that has been offline for longer than the retention is forgotten. ${rights}`,
  query: clientsQuery,
  answers: {
    200: {
      description: 'A page of clients, sorted by id.',
      content: {
        'application/json': z
          .strictObject({
            clients: z.array(clientSchema),
            nextCursor: nextCursorField,
            hint: hintField,
          })
          .meta({ id: 'ClientPage' }),
      },
    },
  },
  problems: [],
} satisfies Operation<unknown, z.output<typeof clientsQuery>>;

const listPresenceEvents = {
  id: 'listPresenceEvents',
  method: 'get',
  path: '/v1/presence/events',
  tag: 'Presence',
  summary: "A client's connections and disconnections",
  description: `Newest first, each once, for as long as messages are kept; while a client is flapping they are counted and not recorded. ${rights}`,
  query: eventsQuery,
  answers: {
    200: {
      description: 'A page of events.',
      content: {
        'application/json': z
          .strictObject({ events: z.array(eventSchema), nextCursor: nextCursorField })
          .meta({ id: 'PresenceEventPage' }),
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation<unknown, z.output<typeof eventsQuery>>;

/** What is served here, as types: a client is checked against them. */
export type PresenceOperations = typeof listPresence | typeof listPresenceEvents;

export function presenceEndpoints(
  reader: PresenceReader,
  cursors: Cursors,
  now: () => number = Date.now,
): Endpoint[] {
  return [
    endpoint(listPresence, ({ principal, query, spending: { budget } }) => {
      const seen = clientsSeenBy(principal, query.filter);
      const at = timeText(now());
      return answerList(
        {
          name: 'presence',
          principal,
          selection: query,
          read: (after) => reader.clients({ ...query, ...seen, budget }, after),
          render: asJsonList('clients', (state: PresenceState) => clientJson(state, at)),
          hint: () => filterHint(query.filter),
        },
        cursors,
      );
    }),
    endpoint(listPresenceEvents, ({ principal, query, spending: { budget } }) => {
      // The same answer whether or not there is such a client.
      if (!principal.can('read', presenceTopic(query.clientId)))
        return missing('read', presenceTopic(query.clientId));
      return answerList(
        {
          name: 'presence-events',
          principal,
          selection: query,
          read: (after) => reader.events({ ...query, budget }, after),
          render: asJsonList('events', eventJson),
        },
        cursors,
      );
    }),
  ];
}

/** `at`: a client calms down without an event, by the time that passes. */
export function clientJson({ damping, ...state }: PresenceState, at: string): string {
  const { clientId, status, since, lastEventAt, reason } = state;
  const { flaps, flapping } = dampingAt(damping, at);
  return JSON.stringify({ clientId, status, since, lastEventAt, reason, flaps, flapping });
}

function eventJson({ at: time, event, reason, unrecorded }: RecordEntry): string {
  return JSON.stringify({ time, event, reason, unrecorded });
}
