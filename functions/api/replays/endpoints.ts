// /v1/replay and /v1/replays, and the replay of dead letters: what is stored, once more to a handler.
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { type Replay, type ReplayRequest, replayStatuses } from '../../table/replay.ts';
import { wakeTimeoutSeconds } from '../bridge-client/timeouts.ts';
import type { Cursors } from '../interface/cursor.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import {
  type Answer,
  adminEndpoint,
  type Endpoint,
  type Operation,
} from '../interface/operation.ts';
import {
  cursorParameter,
  filterParameter,
  limitParameter,
  nextCursorField,
  timeParameter,
} from '../interface/parameters.ts';
import type { Replays } from './replay-store.ts';

const routeField = z
  .string('is required')
  .min(1, 'must not be empty')
  .max(256, 'must have at most 256 characters')
  .meta({ examples: ['store'] });

const rateRule = 'must be a whole number from 1 to 10000';

const requestFields = {
  from: timeParameter.optional().describe('First time of receipt that belongs to it.'),
  to: timeParameter
    .optional()
    .describe(
      'First time of receipt that no longer does; at most, and by default, that of the request.',
    ),
  messagesPerSecond: z
    .int(rateRule)
    .min(1, rateRule)
    .max(10_000, rateRule)
    .default(100)
    .describe('Maximum messages a second, beside what the route has to do anyway.'),
  dryRun: z.boolean().default(false).describe('Only count.'),
};

const replayBody = z
  .strictObject({
    filter: filterParameter.describe('Which topics: a topic filter.'),
    route: routeField.describe('The route whose handler gets the messages.'),
    ...requestFields,
  })
  .superRefine(fromBeforeTo)
  .meta({ id: 'ReplayRequest' });

const deadLetterReplayBody = z
  .strictObject({
    filter: filterParameter.default('#').describe('Which topics: a topic filter.'),
    route: routeField.optional().describe('Only those of this route.'),
    reason: z
      .string()
      .min(1, 'must not be empty')
      .max(4096, 'must have at most 4096 characters')
      .optional()
      .describe('Only those with this whole reason, as lists of dead letters tell it.'),
    ...requestFields,
  })
  .superRefine(fromBeforeTo)
  .meta({ id: 'DeadLetterReplayRequest' });

function fromBeforeTo(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (from !== undefined && to !== undefined && from >= to)
    context.addIssue({ code: 'custom', path: ['to'], message: 'must be after from' });
}

const count = z.int().min(0);
const time = z.iso.datetime();

const replaySchema = z
  .strictObject({
    id: z.string(),
    status: z
      .enum(replayStatuses)
      .describe('`done` also where the handler refused some, and where it only had to count.'),
    source: z.enum(['messages', 'dead-letters']),
    filter: z.string(),
    route: z.string().optional(),
    deadLetterReason: z
      .string()
      .optional()
      .describe('Of dead letters: only those with this reason.'),
    from: z.string().optional(),
    to: z.string().optional(),
    messagesPerSecond: z.int(),
    dryRun: z.boolean(),
    createdAt: time,
    startedAt: time.optional(),
    endedAt: time.optional(),
    total: count.describe('How many there are; while they are counted, how many were found.'),
    delivered: count,
    refused: count.describe(
      'How many the handler would not take. Messages are stored all the same.',
    ),
    refusals: z
      .array(z.strictObject({ topic: z.string(), id: z.string(), reason: z.string() }))
      .describe('The first of them.'),
    waiting: z.string().optional().describe('Why it does not go on just now.'),
    reason: z.string().optional().describe('Why it failed.'),
  })
  .meta({ id: 'Replay', description: 'Stored messages, or dead letters, once more to a handler.' });

const started = {
  description: 'It is recorded, and the bridge works it off.',
  content: { 'application/json': replaySchema },
  headers: { location: 'Where to look how far it is.' },
} satisfies Answer;

const idParameters = z.strictObject({
  id: z.uuid().meta({ examples: ['019a2b5e-7d52-7c1a-9a51-8d3c4f5e6a7b'] }),
});

const replayMessages = {
  id: 'replayMessages',
  method: 'post',
  path: '/v1/replay',
  tag: 'Replays',
  summary: 'Give stored messages to a handler again',
  description:
    'With their ids and times, marked by `replayid`, topic by topic in the order they came. Replays wait for each other; that needs the scope `admin`.',
  commands: () => 1,
  waitSeconds: 2 * wakeTimeoutSeconds,
  body: { schema: replayBody, maxBytes: 128 * 1024 },
  answers: { 202: started },
  problems: ['forbidden', 'route-unknown'],
} satisfies Operation;

const redrive = {
  id: 'replayDeadLetters',
  method: 'post',
  path: '/v1/dead-letters/replay',
  tag: 'Replays',
  summary: 'Give dead letters to their handlers again, by filter',
  description:
    'Those that are taken are deleted. `messagesPerSecond` and `dryRun` as for messages; that needs the scope `admin`.',
  commands: () => 1,
  waitSeconds: 2 * wakeTimeoutSeconds,
  body: { schema: deadLetterReplayBody, maxBytes: 128 * 1024 },
  answers: { 202: started },
  problems: ['forbidden', 'route-unknown'],
} satisfies Operation;

const list = {
  id: 'listReplays',
  method: 'get',
  path: '/v1/replays',
  tag: 'Replays',
  summary: 'Replays of the last 30 days, newest first',
  query: z.strictObject({ limit: limitParameter, cursor: cursorParameter }),
  answers: {
    200: {
      description: 'A page of replays.',
      content: {
        'application/json': z
          .strictObject({ replays: z.array(replaySchema), nextCursor: nextCursorField })
          .meta({ id: 'ReplayPage' }),
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation;

const one = {
  description: 'The replay.',
  content: { 'application/json': replaySchema },
} satisfies Answer;

const read = {
  id: 'getReplay',
  method: 'get',
  path: '/v1/replays/{id}',
  tag: 'Replays',
  summary: 'How far a replay is',
  params: idParameters,
  answers: { 200: one },
  problems: ['forbidden', 'not-found'],
} satisfies Operation;

const cancel = {
  id: 'cancelReplay',
  method: 'post',
  path: '/v1/replays/{id}/cancel',
  tag: 'Replays',
  summary: 'End a replay where it is',
  description:
    'What the handler has by then it keeps; the counts may lack the last second. A replay that has ended stays as it is.',
  commands: () => 1,
  waitSeconds: wakeTimeoutSeconds,
  params: idParameters,
  answers: { 200: one },
  problems: ['forbidden', 'not-found'],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type ReplayOperations =
  | typeof replayMessages
  | typeof redrive
  | typeof list
  | typeof read
  | typeof cancel;

export function replayEndpoints(replays: Replays, cursors: Cursors): Endpoint[] {
  const start = async (request: ReplayRequest): Promise<Response> => {
    const result = await replays.start(request);
    if (!result.ok) return problemResponse(result.problem);
    const location = `/v1/replays/${result.replay.id}`;
    return Response.json(replayView(result.replay), { status: 202, headers: { location } });
  };
  const answer = (replay: Replay | undefined): Response =>
    replay === undefined
      ? problemResponse(problem('not-found'))
      : Response.json(replayView(replay));

  return [
    adminEndpoint(replayMessages, ({ body }) => start({ source: 'messages', ...body })),
    adminEndpoint(redrive, ({ body: { reason: deadLetterReason, ...body } }) =>
      start({ source: 'dead-letters', ...body, deadLetterReason }),
    ),
    adminEndpoint(list, ({ principal, query }) =>
      answerList(
        {
          name: 'replays',
          principal,
          selection: query,
          read: (after) => replays.list(query.limit, after),
          render: asJsonList<Replay>('replays', (replay) => JSON.stringify(replayView(replay))),
        },
        cursors,
      ),
    ),
    adminEndpoint(read, async ({ params }) => answer(await replays.find(params.id))),
    adminEndpoint(cancel, async ({ params }) => answer(await replays.cancel(params.id))),
  ];
}

/** A replay as it is answered: without where it goes on. */
function replayView({
  id,
  status,
  createdAt,
  request,
  progress,
}: Replay): z.input<typeof replaySchema> {
  const { position: _, ...told } = progress;
  return { id, status, ...request, createdAt, ...told };
}
