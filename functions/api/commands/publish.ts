// POST /v1/publish and /v1/publish/bulk: messages from HTTP callers to devices.
import * as z from 'zod';
import {
  maxBase64PayloadBytes,
  maxBulkBodyBytes,
  maxBulkCommands,
  maxPublishBodyBytes,
  type PublishRequest,
  publishRequestSchema,
  type WaitFor,
} from '../../contract/command.ts';
import { parseWith } from '../../contract/parse.ts';
import { type FieldFault, type Problem, problem, problemResponse } from '../../contract/problem.ts';
import { rawElements } from '../../contract/raw-json.ts';
import { traceContextOf } from '../../contract/trace-context.ts';
import type { LedgerEntry } from '../../table/command-item.ts';
import type { Principal } from '../access/principal.ts';
import { problemSchema } from '../document/openapi-problems.ts';
import { type Call, type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import { type Idempotency, idempotencyHours, idempotencyOf } from './idempotency.ts';
import { readPayload } from './plan.ts';
import type { CommandRequest, CommandResult } from './recorder.ts';
import type { Commands } from './service.ts';
import { answerTo, commandJson, commandSchema, maxBulkReplyBytes } from './view.ts';

const publishHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .describe(
      `Repeating a request with the same key and body gives the same command, and its state as it is then, for ${idempotencyHours} hours.`,
    ),
  traceparent: z
    .string()
    .optional()
    .describe(
      'W3C Trace Context of the caller. An MQTT 5 device gets it as a user property; one that is malformed is ignored.',
    ),
  tracestate: z.string().optional().describe('Goes with `traceparent`.'),
});

const location = { location: 'Where the command can be asked for.' };

const publish = {
  id: 'publish',
  method: 'post',
  path: '/v1/publish',
  tag: 'Commands',
  summary: 'Send a message to devices',
  description:
    'The command is recorded, and sent at least once before it expires, also when bridge or broker are away now. Publishing needs the right `publish` on the topic and on a given response topic; deleting a retained message also `delete`.',
  headers: publishHeaders,
  commands: () => 1,
  body: {
    schema: publishRequestSchema,
    maxBytes: maxPublishBodyBytes,
    fits: `the payload and all around it; of a payload as base64, ${maxBase64PayloadBytes} bytes`,
  },
  answers: {
    200: {
      description: 'What was waited for has been reached.',
      content: { 'application/json': commandSchema },
      headers: location,
    },
    202: {
      description:
        'The command is recorded. What was waited for, if anything, has not been reached in time.',
      content: { 'application/json': commandSchema },
      headers: location,
    },
  },
  problems: [
    'forbidden',
    'idempotency-conflict',
    'broker-refused',
    'reply-too-large',
    'command-expired',
  ],
} satisfies Operation;

const bulkRequestSchema = z
  // One bad command must not refuse the others: each is checked again alone, and gets its problem in its place.
  .array(publishRequestSchema.catch(undefined as never))
  .min(1, 'must have at least one command')
  .max(maxBulkCommands, `must have at most ${maxBulkCommands} commands`)
  .meta({ id: 'BulkPublishRequest' });

const bulkAnswerSchema = z
  .strictObject({
    results: z
      .array(
        z.strictObject({
          status: z.int().describe('The HTTP status that the command alone would have had.'),
          command: commandSchema.optional(),
          problem: problemSchema.optional(),
        }),
      )
      .describe('One for each command, in order: the command, or the problem with it.'),
  })
  .meta({ id: 'BulkPublishResult' });

const publishBulk = {
  id: 'publishBulk',
  method: 'post',
  path: '/v1/publish/bulk',
  tag: 'Commands',
  summary: 'Send up to 1,000 messages to devices',
  description:
    'Commands of one topic are sent in the order of the list. All are waited for together, at most as long as the longest `timeoutSeconds` says. Replies beyond 4 MB are left out: ask for the command.',
  headers: publishHeaders,
  commands: (body: readonly unknown[]) => body.length,
  body: { schema: bulkRequestSchema, maxBytes: maxBulkBodyBytes },
  answers: {
    200: { description: 'Each result.', content: { 'application/json': bulkAnswerSchema } },
  },
  problems: [],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type PublishOperations = typeof publish | typeof publishBulk;

type PublishCall = Call<unknown, unknown, z.output<typeof publishHeaders>, unknown>;

export function publishEndpoints(commands: Commands): Endpoint[] {
  /** Publishes, and waits as the requests say; not at all where their caller has no time left for it. */
  async function publishing(
    requests: readonly CommandRequest[],
    { principal, spending, headers }: Pick<PublishCall, 'principal' | 'spending' | 'headers'>,
    idempotency: Idempotency | undefined,
  ): Promise<CommandResult[]> {
    const trace = traceContextOf(headers.traceparent, headers.tracestate);
    const seconds = requests.map(({ request }) =>
      request.waitFor === 'none' ? 0 : request.timeoutSeconds,
    );
    const longest = Math.max(0, ...seconds);
    if (longest === 0) return commands.publish(requests, principal, idempotency, trace);
    const wait = await spending.wait(longest);
    if (wait === undefined)
      return commands.publish(requests.map(withoutTime), principal, idempotency, trace);
    try {
      return await commands.publish(requests, principal, idempotency, trace);
    } finally {
      wait.end();
    }
  }

  return [
    endpoint(publish, async ({ headers, body, bodyText, ...by }) => {
      const checked = withPayload(body, bodyText);
      if (!checked.ok) return problemResponse(checked.problem);
      const idempotency = idempotencyIn(headers, by.principal, bodyText);
      const [result] = await publishing([checked.request], { ...by, headers }, idempotency);
      if (result === undefined) throw new Error('publishing a command gave no result');
      const answer = answered(result, body.waitFor);
      if (answer.problem !== undefined) return problemResponse(answer.problem);
      return new Response(commandJson(answer.entry), {
        status: answer.status,
        headers: {
          'content-type': 'application/json',
          location: `/v1/commands/${answer.entry.id}`,
        },
      });
    }),
    endpoint(publishBulk, async ({ headers, bodyText, ...by }) => {
      const elements = rawElements(bodyText).map(({ text }) => {
        const parsed = parseWith(publishRequestSchema, JSON.parse(text));
        return parsed.ok ? withPayload(parsed.value, text) : refused(parsed.faults);
      });
      const good = elements.flatMap((element) => (element.ok ? [element.request] : []));
      const idempotency = idempotencyIn(headers, by.principal, bodyText);
      const published = (await publishing(good, { ...by, headers }, idempotency)).values();
      const answers = elements.map((element): Answered => {
        if (!element.ok) return { status: element.problem.status, problem: element.problem };
        const { value } = published.next();
        if (value === undefined) throw new Error('a command of a bulk request has no result');
        return answered(value, element.request.request.waitFor);
      });
      return new Response(bulkJson(answers), { headers: { 'content-type': 'application/json' } });
    }),
  ];
}

/** Without time to wait: recorded, the bridge woken, and answered as it is then. */
function withoutTime({ request, payload }: CommandRequest): CommandRequest {
  return { request: { ...request, timeoutSeconds: 0 }, payload };
}

function idempotencyIn(
  headers: z.output<typeof publishHeaders>,
  principal: Principal,
  bodyText: string,
): Idempotency | undefined {
  const key = headers['idempotency-key'];
  return key === undefined ? undefined : idempotencyOf(principal, key, bodyText);
}

type Checked =
  | { readonly ok: true; readonly request: CommandRequest }
  | { readonly ok: false; readonly problem: Problem };

/** A request that keeps to its schema, with what only its text tells. */
function withPayload(request: PublishRequest, text: string): Checked {
  const { payload, faults } = readPayload(request, text);
  return faults.length > 0 ? refused(faults) : { ok: true, request: { request, payload } };
}

function refused(faults: readonly FieldFault[]): Checked {
  return { ok: false, problem: problem('invalid-request', undefined, faults) };
}

/** What one request is answered: a command as JSON text, or a problem. */
type Answered =
  | { readonly status: number; readonly problem: Problem }
  | {
      readonly status: number;
      readonly problem?: undefined;
      readonly entry: LedgerEntry;
    };

function answered(result: CommandResult, waitFor: WaitFor): Answered {
  if (!result.ok) return { status: result.problem.status, problem: result.problem };
  const { entry } = result;
  const answer = answerTo(entry, waitFor);
  return 'problem' in answer
    ? { status: answer.problem.status, problem: answer.problem }
    : { status: answer.status, entry };
}

function bulkJson(answers: readonly Answered[]): string {
  let replyBytes = 0;
  const results = answers.map((answer) => {
    if (answer.problem !== undefined) return JSON.stringify(answer);
    const { reply, ...entry } = answer.entry;
    const whole = commandJson(answer.entry);
    if (reply !== undefined) replyBytes += Buffer.byteLength(whole);
    const json = replyBytes > maxBulkReplyBytes ? commandJson(entry) : whole;
    return `{"status":${answer.status},"command":${json}}`;
  });
  return `{"results":[${results.join(',')}]}`;
}
