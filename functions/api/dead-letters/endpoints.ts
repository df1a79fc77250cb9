// /v1/dead-letters: messages that their handler would never take; read, replayed and deleted here.
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { matchesFilter } from '../../contract/topic.ts';
import type { DeadLetterSummary } from '../../table/dead-letter.ts';
import type { Principal } from '../access/principal.ts';
import { missing } from '../access/scopes.ts';
import { replayTimeoutSeconds } from '../bridge-client/timeouts.ts';
import type { Cursors } from '../interface/cursor.ts';
import { filterHint } from '../interface/hints.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import { type Call, type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import {
  cursorParameter,
  filterParameter,
  hintField,
  limitParameter,
  nextCursorField,
} from '../interface/parameters.ts';
import { messageJson, messageSchema } from '../messages/representation.ts';
import type { DeadLetters } from './dead-letter-store.ts';

const summaryFields = {
  id: z.string(),
  route: z.string().describe('The route of the bridge that it came by.'),
  reason: z.string().describe('Why its handler would not take it.'),
  attempts: z.int().min(0).describe('How often the handler was asked.'),
  quarantinedAt: z.iso.datetime(),
  topic: z.string(),
  bytes: z.int().min(0).describe('Bytes of the payload.'),
  expiresAt: z.iso
    .datetime()
    .optional()
    .describe('When it is deleted; absent where it was kept before dead letters expired.'),
};

const deadLetterSchema = z
  .strictObject(summaryFields)
  .meta({ id: 'DeadLetter', description: 'A message that its handler would never take.' });

const selectionFields = {
  route: z.string().min(1).max(256).optional().describe('Only those of this route.'),
  reason: z.string().min(1).max(4096).optional().describe('Only those with this whole reason.'),
};

const listQuery = z.strictObject({
  filter: filterParameter.default('#'),
  ...selectionFields,
  limit: limitParameter,
  cursor: cursorParameter,
});

/** Longest sort key of DynamoDB, in bytes: no dead letter has a longer id, and asking for one would be an error. */
const maxIdKeyBytes = 1024;

/** Base64url of an id, which may have any characters. */
const idParameters = z.strictObject({
  id: z
    .string()
    .max(1400)
    .refine((text) => text !== '' && publicId(rawId(text)) === text)
    .refine((text) => Buffer.byteLength(rawId(text)) <= maxIdKeyBytes)
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
  summary: 'Dead letters, newest first',
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
            hint: hintField,
          })
          .meta({ id: 'DeadLetterPage' }),
      },
    },
  },
  problems: [],
} satisfies Operation;

const summaryQuery = z.strictObject({ filter: filterParameter.default('#'), ...selectionFields });

const summarize = {
  id: 'summarizeDeadLetters',
  method: 'get',
  path: '/v1/dead-letters/summary',
  tag: 'Dead letters',
  summary: 'How many dead letters there are, by route and reason',
  description:
    'Counted from the newest on, which reads each of them: up to 256 read units, which is at least 1 MB of dead letters.',
  query: summaryQuery,
  answers: {
    200: {
      description: 'The groups, the largest first.',
      content: {
        'application/json': z
          .strictObject({
            groups: z.array(
              z.strictObject({
                route: z.string(),
                reason: z.string(),
                count: z.int().min(1),
                newestAt: z.iso
                  .datetime({ precision: 6 })
                  .describe('When its newest was received.'),
              }),
            ),
            readUntil: z.iso
              .datetime({ precision: 6 })
              .optional()
              .describe('Those received before it are not counted; absent where all are.'),
          })
          .meta({ id: 'DeadLetterCounts' }),
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
  summary: 'A dead letter',
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
  summary: 'Hand a dead letter to its handler again',
  description:
    'It is deleted when the handler takes it. That needs the right to delete, as well as the right to read.',
  params: idParameters,
  commands: () => 1,
  waitSeconds: replayTimeoutSeconds,
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
  summary: 'Delete a dead letter, for good',
  description: 'That needs the right to delete, as well as the right to read.',
  params: idParameters,
  commands: () => 1,
  answers: { 204: { description: 'It has been deleted.' } },
  problems: ['forbidden', 'not-found'],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type DeadLetterOperations =
  | typeof list
  | typeof summarize
  | typeof read
  | typeof replay
  | typeof remove;

export function deadLetterEndpoints(deadLetters: DeadLetters, cursors: Cursors): Endpoint[] {
  type Asked = Pick<Call<unknown, unknown, unknown, unknown>, 'principal' | 'spending'>;

  /** The dead letter, if the caller may know of it. */
  async function find(
    { principal, spending: { budget } }: Asked,
    id: string,
  ): Promise<DeadLetterSummary | undefined> {
    const found = await deadLetters.find(rawId(id), budget);
    return found !== undefined && principal.can('read', found.topic) ? found : undefined;
  }

  /** Why the caller may not do away with the dead letter, as an answer; or undefined where it may. */
  async function refusal(asked: Asked, id: string): Promise<Response | undefined> {
    const found = await find(asked, id);
    if (found === undefined) return problemResponse(problem('not-found'));
    return asked.principal.can('delete', found.topic) ? undefined : missing('delete', found.topic);
  }

  function visibleTo(principal: Principal, filter: string) {
    const filters = principal.within('read', filter);
    const isVisible = (topic: string) =>
      filters.some((one) => matchesFilter(one, topic)) && principal.can('read', topic);
    return { filters, isVisible };
  }

  return [
    // Before those of one: an id may be any text, and no dead letter has this one.
    endpoint(summarize, async ({ principal, query, spending: { budget } }) => {
      const { filter, ...selection } = query;
      const { filters, isVisible } = visibleTo(principal, filter);
      if (filters.length === 0) return Response.json({ groups: [] });
      return Response.json(await deadLetters.count({ ...selection, isVisible, budget }));
    }),
    endpoint(list, ({ principal, query, spending: { budget } }) => {
      const { filter, route, reason, limit } = query;
      const { filters, isVisible } = visibleTo(principal, filter);
      const selection = { limit, route, reason, isVisible, budget };
      return answerList(
        {
          name: 'dead-letters',
          principal,
          selection: query,
          // By time, and not by topic: nothing is read where nothing can be seen.
          read: async (after) =>
            filters.length === 0 ? { entries: [] } : deadLetters.list(selection, after),
          render: asJsonList<DeadLetterSummary>('deadLetters', summaryJson),
          hint: () => filterHint(filter),
        },
        cursors,
      );
    }),
    endpoint(read, async ({ params, ...asked }) => {
      const found = await find(asked, params.id);
      const message = found && (await deadLetters.message(found.id, asked.spending.budget));
      if (found === undefined || message === undefined)
        return problemResponse(problem('not-found'));
      const head = summaryJson(found).slice(0, -1);
      return new Response(`${head},"message":${messageJson(message)}}`, {
        headers: { 'content-type': 'application/json' },
      });
    }),
    endpoint(replay, async ({ params, ...asked }) => {
      const refused = await refusal(asked, params.id);
      if (refused !== undefined) return refused;
      const result = await deadLetters.replay(rawId(params.id));
      return result.ok ? Response.json({ status: 'delivered' }) : problemResponse(result.problem);
    }),
    endpoint(remove, async ({ params, ...asked }) => {
      const refused = await refusal(asked, params.id);
      if (refused !== undefined) return refused;
      await deadLetters.remove(rawId(params.id), asked.spending.budget);
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
