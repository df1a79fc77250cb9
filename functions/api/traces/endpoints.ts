// /v1/messages/trace: what happened to one message on its way to the handlers.
import * as z from 'zod';
import { maxIdBytes } from '../../contract/message.ts';
import { problem, problemResponse } from '../../contract/problem.ts';
import { type RouteStatus, routeStateNames } from '../../contract/route-status.ts';
import { matchesFilter } from '../../contract/topic.ts';
import { traceSchema } from '../../contract/trace.ts';
import { missing } from '../access/scopes.ts';
import type { RouteControl } from '../bridge-client/route-control.ts';
import { wakeTimeoutSeconds } from '../bridge-client/timeouts.ts';
import { type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import { topicParameter } from '../interface/parameters.ts';
import type { TraceReader } from './reader.ts';

/** A message's id, or a dead letter's, which holds it: base64url of `time#id`. */
const maxParameterLength = 4 * (maxIdBytes + 64);

const routeSchema = z
  .strictObject({
    name: z.string(),
    filter: z.string(),
    state: z.enum(routeStateNames),
    reason: z.string().optional(),
    deliveredMessages: z.int().min(0),
    retriedMessages: z.int().min(0),
    quarantinedMessages: z.int().min(0),
  })
  .meta({
    id: 'MatchingRoute',
    description: 'A route that the topic matches, with its counters since the bridge started.',
  });

const trace = {
  id: 'traceMessage',
  method: 'get',
  path: '/v1/messages/trace',
  tag: 'Messages',
  summary: 'What happened to a message on its way to the handlers',
  description:
    'Tries are kept of messages that had trouble, as long as messages are; those of a replay stand by themselves, with its `replayId`. A route that matches and has no trace delivered the message at once, or has not got it. Each route gives a message an id of its own, unless the message brought one.',
  // The id is no part of the path: an HTTP API hands that over decoded, and ids of producers hold `/`, `?` and `%2F`.
  query: z.strictObject({
    id: z
      .string('is required')
      .min(1, 'must not be empty')
      .max(maxParameterLength)
      .meta({
        description: 'The id of a message or of a dead letter.',
        examples: ['_W63EK1bGPkhTtlI-1'],
      }),
    topic: topicParameter
      .optional()
      .describe('Its topic: then the routes that match are told although it had no trouble.'),
  }),
  // Asks for traces, then for routes.
  waitSeconds: 2 * wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'What is known.',
      content: {
        'application/json': z
          .strictObject({
            messageId: z.string(),
            traces: z.array(traceSchema.meta({ id: 'Trace' })),
            routes: z
              .array(routeSchema)
              .optional()
              .describe('Absent where the bridge could not be asked.'),
          })
          .meta({ id: 'MessageTrace' }),
      },
    },
  },
  problems: ['not-found', 'forbidden', 'bridge-unavailable'],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type TraceOperations = typeof trace;

export function traceEndpoints(
  reader: TraceReader,
  routes: Pick<RouteControl, 'list'>,
): Endpoint[] {
  return [
    endpoint(trace, async ({ principal, query }) => {
      const { topic: asked } = query;
      if (asked !== undefined && !principal.can('read', asked)) return missing('read', asked);
      const messageId = messageIdIn(query.id);
      // Nor could its partition be asked for: a key has 2,048 bytes at most.
      if (Buffer.byteLength(messageId) > maxIdBytes) return problemResponse(problem('not-found'));
      const found = await reader.find(messageId);
      const traces = found.traces.filter(({ topic }) => principal.can('read', topic));
      const topic = asked ?? traces[0]?.topic;
      if (topic === undefined) {
        const code = found.isComplete ? 'not-found' : 'bridge-unavailable';
        return problemResponse(problem(code, 'no trouble was noted; give topic to see the routes'));
      }
      const told = await routes.list();
      return Response.json({
        messageId,
        traces,
        ...(told.ok && {
          routes: told.value.filter(({ filter }) => matchesFilter(filter, topic)).map(routeView),
        }),
      });
    }),
  ];
}

function routeView(route: RouteStatus): z.output<typeof routeSchema> {
  const { name, filter, state, reason, deliveredMessages, retriedMessages, quarantinedMessages } =
    route;
  return {
    name,
    filter,
    state,
    ...(reason !== undefined && { reason }),
    deliveredMessages,
    retriedMessages,
    quarantinedMessages,
  };
}

/** The id of a message in the id of its dead letter; any other id is a message's own. */
export function messageIdIn(id: string): string {
  const text = Buffer.from(id, 'base64url').toString('utf8');
  const letter = /^\d{4}-\d\d-\d\dT[\d:.]+Z#(.+)$/s.exec(text);
  return letter?.[1] ?? id;
}
