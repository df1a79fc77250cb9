// /v1/dead-letters: messages that their handler would never take; read, replayed and deleted here.
import * as z from 'zod';
import type { DeadLetterSummary } from '../../contract/dead-letter.ts';
import { problem, problemResponse } from '../../contract/problem.ts';
import { matchesFilter } from '../../contract/topic.ts';
import type { Principal } from '../access/principal.ts';
import type { Cursors } from '../interface/cursor.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import { type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import {
  cursorParameter,
  filterParameter,
  limitParameter,
  nextCursorField,
} from '../interface/parameters.ts';
import { messageJson, messageSchema } from '../messages/representation.ts';
import type { DeadLetters } from './store.ts';

const summaryFields = {
  id: z.string(),
  route: z.string().describe('The route of the bridge that it came by.'),
  reason: z.string().describe('Why its handler would not take it.'),
  attempts: z.int().min(0).describe('How often the handler was asked.'),
  quarantinedAt: z.iso.datetime(),
  topic: z.string(),
  bytes: z.int().min(0).describe('Bytes of the payload.'),
};

const deadLetterSchema = z
  .strictObject(summaryFields)
  .meta({ id: 'DeadLetter', description: 'A message that its handler would never take.' });

const listQuery = z.strictObject({
  filter: filterParameter.default('#'),
  route: z.string().min(1).max(256).optional().describe('Only those of this route.'),
  limit: limitParameter,
  cursor: cursorParameter,
});

/** Base64url of an id, which may have any characters. */
const idParameters = z.strictObject({
  id: z
    .string()
    .max(1400)
    .refine((text) => text !== '' && publicId(rawId(text)) === text)
    .meta({
      description: 'The id of the dead letter.',
      examples: [publicId('2026-01-31T12:00:00.000000Z#lamp-7-42')],
    }),
});

const list = {
  id: 'listDeadLetters',
  method: 'get',
  path: '/v1/dead-letters',
  tag: 'Dead letters',
  summary: 'Messages in quarantine, newest first',
  description: 'Sorted by the time at which the messages were received.',
  query: listQuery,
  answers: {
    200: {
      description: 'A page of dead letters.',
      content: {
        'application/json': z
          .strictObject({
            deadLetters: z.array(deadLetterSchema),
            nextCursor: nextCursorField,
          })
          .meta({ id: 'DeadLetterPage' }),
      },
    },
  },
  problems: [],
} satisfies Operation;

const read = {
  id: 'getDeadLetter',
  method: 'get',
  path: '/v1/dead-letters/{id}',
  tag: 'Dead letters',
  summary: 'A message in quarantine',
  params: idParameters,
  answers: {
    200: {
      description: 'The dead letter with its message, as it was received.',
      content: {
        'application/json': z
          .strictObject({ ...summaryFields, message: messageSchema })
          .meta({ id: 'DeadLetterWithMessage' }),
      },
    },
  },
  problems: ['not-found'],
} satisfies Operation;

const replay = {
  id: 'replayDeadLetter',
  method: 'post',
  path: '/v1/dead-letters/{id}/replay',
  tag: 'Dead letters',
  summary: 'Hand a message in quarantine to its handler again',
  description:
    'It leaves the quarantine when the handler takes it. That needs the right to delete, as well as the right to read.',
  params: idParameters,
  answers: {
    200: {
      description: 'The handler took the message.',
      content: {
        'application/json': z
          .strictObject({ status: z.literal('delivered') })
          .meta({ id: 'Replayed' }),
      },
    },
  },
  problems: [
    'forbidden',
    'not-found',
    'route-unknown',
    'handler-refused',
    'handler-unavailable',
    'bridge-unavailable',
  ],
} satisfies Operation;

const remove = {
  id: 'deleteDeadLetter',
  method: 'delete',
  path: '/v1/dead-letters/{id}',
  tag: 'Dead letters',
  summary: 'Delete a message in quarantine, for good',
  description: 'That needs the right to delete, as well as the right to read.',
  params: idParameters,
  answers: { 204: { description: 'It has been deleted.' } },
  problems: ['forbidden', 'not-found'],
} satisfies Operation;

export function deadLetterEndpoints(deadLetters: DeadLetters, cursors: Cursors): Endpoint[] {
  /** The dead letter, if the caller may know of it. */
  async function find(principal: Principal, id: string): Promise<DeadLetterSummary | undefined> {
    const found = await deadLetters.find(rawId(id));
    return found !== undefined && principal.can('read', found.topic) ? found : undefined;
  }

  /** Why the caller may not do away with the dead letter, as an answer; or undefined where it may. */
  async function refusal(principal: Principal, id: string): Promise<Response | undefined> {
    const found = await find(principal, id);
    if (found === undefined) return problemResponse(problem('not-found'));
    return principal.can('delete', found.topic) ? undefined : problemResponse(problem('forbidden'));
  }

  return [
    endpoint(list, ({ principal, query }) => {
      const { filter, route, limit } = query;
      const isVisible = (topic: string) =>
        matchesFilter(filter, topic) && principal.can('read', topic);
      return answerList(
        {
          name: 'dead-letters',
          principal,
          selection: query,
          read: (after) => deadLetters.list({ limit, route, isVisible }, after),
          render: asJsonList<DeadLetterSummary>('deadLetters', summaryJson),
        },
        cursors,
      );
    }),
    endpoint(read, async ({ principal, params }) => {
      const found = await find(principal, params.id);
      const message = found && (await deadLetters.message(found.id));
      if (found === undefined || message === undefined)
        return problemResponse(problem('not-found'));
      const head = summaryJson(found).slice(0, -1);
      return new Response(`${head},"message":${messageJson(message)}}`, {
        headers: { 'content-type': 'application/json' },
      });
    }),
    endpoint(replay, async ({ principal, params }) => {
      const refused = await refusal(principal, params.id);
      if (refused !== undefined) return refused;
      const result = await deadLetters.replay(rawId(params.id));
      return result.ok ? Response.json({ status: 'delivered' }) : problemResponse(result.problem);
    }),
    endpoint(remove, async ({ principal, params }) => {
      const refused = await refusal(principal, params.id);
      if (refused !== undefined) return refused;
      await deadLetters.remove(rawId(params.id));
      return new Response(null, { status: 204 });
    }),
  ];
}

function summaryJson(summary: DeadLetterSummary): string {
  return JSON.stringify({ ...summary, id: publicId(summary.id) });
}

function publicId(id: string): string {
  return Buffer.from(id, 'utf8').toString('base64url');
}

function rawId(id: string): string {
  return Buffer.from(id, 'base64url').toString('utf8');
}
