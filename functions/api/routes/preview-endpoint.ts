// /v1/routes/{name}/preview: an expression tried on stored messages, before it stands in the config.
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { createEvaluator } from '../../expression/evaluator.ts';
import { expressionLimits } from '../../expression/limits.ts';
import type { MessageStorage } from '../../reading/stored-messages.ts';
import type { RouteControl } from '../bridge-client/route-control.ts';
import { wakeTimeoutSeconds } from '../bridge-client/timeouts.ts';
import { adminEndpoint, type Endpoint, invalid, type Operation } from '../interface/operation.ts';
import { filterParameter, timeParameter } from '../interface/parameters.ts';
import { messageJson, messageSchema } from '../messages/representation.ts';
import { type Preview, preview } from './preview.ts';
import { routeNameParameters } from './route-name.ts';

const maxMessagesRule = 'must be a whole number from 1 to 10000';
const { maxLength } = expressionLimits;
const expression = z
  .string()
  .min(1, 'must not be empty')
  .max(maxLength, `must have at most ${maxLength} characters`)
  .optional();

const previewBody = z
  .strictObject({
    where: expression
      .describe('JSONata: which messages would go to the handler. Without it all would.')
      .meta({ examples: ['payload.celsius > 30'] }),
    transform: expression
      .describe('JSONata: what would stand in place of the payload.')
      .meta({ examples: ['{"text": topic & ": " & payload.celsius}'] }),
    filter: filterParameter.optional().describe('Which topics; by default those of the route.'),
    from: timeParameter.optional().describe('First time of receipt that belongs to it.'),
    to: timeParameter.optional().describe('First time of receipt that no longer does.'),
    maxMessages: z
      .int(maxMessagesRule)
      .min(1, maxMessagesRule)
      .max(10_000, maxMessagesRule)
      .default(1000)
      .describe('Messages that are read at most; of one topic the newest 1,000.'),
  })
  .meta({ id: 'PreviewRequest' });

const count = z.int().min(0);

const previewSchema = z
  .strictObject({
    read: count.describe('Messages that were read.'),
    passed: count.describe('How many of them would go to the handler.'),
    dropped: count.describe('For how many `where` is not `true`.'),
    failed: count.describe('On how many an expression fails: they would become dead letters.'),
    isComplete: z
      .boolean()
      .describe('Whether no others match: false where messages, time or read units ended before.'),
    results: z
      .array(messageSchema)
      .describe('The first ten that pass, as the handler would get them.'),
    failures: z
      .array(z.strictObject({ topic: z.string(), id: z.string(), reason: z.string() }))
      .describe('The first ten on which an expression fails.'),
  })
  .meta({ id: 'Preview', description: 'What expressions make of stored messages.' });

const previewRoute = {
  id: 'previewRoute',
  method: 'post',
  path: '/v1/routes/{name}/preview',
  tag: 'Routes',
  summary: 'Try where and transform on stored messages',
  description:
    'Reads stored messages, topic by topic, the newest first, and evaluates the expressions as the bridge would, with the same bounds. Nothing is sent, and the route stays as it is. It ends after ten seconds.',
  params: routeNameParameters,
  waitSeconds: wakeTimeoutSeconds,
  body: { schema: previewBody, maxBytes: 128 * 1024 },
  answers: {
    200: {
      description: 'What became of the messages.',
      content: { 'application/json': previewSchema },
    },
  },
  problems: ['forbidden', 'not-found', 'bridge-unavailable'],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type PreviewOperations = typeof previewRoute;

export function previewEndpoint(
  routes: Pick<RouteControl, 'list'>,
  storage: MessageStorage,
): Endpoint {
  /** A thread takes a CPU: one at a time in a process. */
  let isBusy = false;
  return adminEndpoint(previewRoute, async ({ params, body, spending: { budget } }) => {
    const { where, transform, filter, ...selection } = body;
    // JSONata is for this alone: no cold start waits for it.
    const { expressionRule } = await import('../../expression/check.ts');
    const faults = Object.entries({ where, transform }).flatMap(([field, text]) => {
      const rule = text && expressionRule(text);
      return rule ? [{ field, rule }] : [];
    });
    if (faults.length > 0) return invalid(faults);
    const told = await routes.list();
    if (!told.ok) return problemResponse(told.problem);
    const route = told.value.find(({ name }) => name === params.name);
    if (route === undefined) return problemResponse(problem('not-found'));
    if (isBusy)
      return problemResponse(problem('rate-limited', 'another preview is running'), {
        'retry-after': '5',
      });
    isBusy = true;
    try {
      const request = { ...selection, where, transform, filter: filter ?? route.filter };
      const stored = storage.snapshot();
      const found = await preview(request, { stored, evaluatorOf: createEvaluator, budget });
      return new Response(previewJson(found), { headers: { 'content-type': 'application/json' } });
    } finally {
      isBusy = false;
    }
  });
}

function previewJson({ results, ...counts }: Preview): string {
  return `${JSON.stringify(counts).slice(0, -1)},"results":[${results.map(messageJson).join(',')}]}`;
}
