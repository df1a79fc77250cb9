// /v1/states/live: where routes, commands and clients stand, as server-sent events: the lists, and then what changes in
// them. Nothing is noted for it: each look reads the lists, and what the reader does not have yet is told.
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { ReadBudget } from '../../table/read-budget.ts';
import { missing } from '../access/scopes.ts';
import { maxReadUnits } from '../access/spending.ts';
import { wakeTimeoutSeconds } from '../bridge-client/timeouts.ts';
import { type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import { filterParameter, topicParameter } from '../interface/parameters.ts';
import type { LiveEndpointOptions } from '../live/endpoints.ts';
import { cursorLine, retryLine } from '../live/events.ts';
import { allNow, eventStream, streamOf } from '../live/stream.ts';
import {
  createReadStates,
  maxClients,
  maxCommands,
  type ReadStates,
  type StateSelection,
  type StateSources,
} from './lists.ts';
import { cursorPattern, type StateKind, type StateList, stateKinds, ToldStates } from './told.ts';

const cursorRule = 'must be the id of an event of this stream';
const cursor = z.string().regex(cursorPattern, cursorRule);
const kindsRule = `must be one or more of ${stateKinds.join(', ')}, joined by commas`;

const statesQuery = z.strictObject({
  kinds: z
    .string()
    .transform((text) => text.split(','))
    .refine(
      (kinds): kinds is StateKind[] =>
        kinds.every((kind) => stateKinds.some((one) => one === kind)),
      kindsRule,
    )
    .transform((kinds) => stateKinds.filter((kind) => kinds.includes(kind)))
    .default([...stateKinds])
    .meta({ type: 'string', default: stateKinds.join(',') })
    .describe('Which states, joined by commas: `route`, `command`, `client`.'),
  topic: topicParameter.optional().meta({
    description:
      'Commands of this topic; without it those of all topics that are `failed` or `expired`.',
  }),
  filter: filterParameter
    .default('#')
    .meta({ description: 'A topic filter that client ids are matched with.', examples: ['#'] }),
  after: cursor
    .optional()
    .describe('Id of the last event that came; the header `Last-Event-ID` says the same.'),
});

const statesHeaders = z.object({
  'last-event-id': cursor
    .optional()
    .describe('Id of the last event that came; it goes before `after`.'),
});

const states = {
  id: 'liveStates',
  method: 'get',
  path: '/v1/states/live',
  tag: 'Routes',
  summary: 'Where routes, commands and clients stand, as server-sent events',
  description: `The lists as they are, and then what changes in them. Events \`routes\`, \`commands\`, \`clients\`: a whole list, in place of what was told before, as \`GET /v1/routes\`, \`GET /v1/commands\` and \`GET /v1/presence\` have it, with \`isComplete\`: it has the newest ${maxCommands} commands and the first ${maxClients} clients. Events \`route\`, \`command\`, \`client\`: one entry that is new in its list or has changed. \`problem\`: a list that cannot be read, its \`kind\` and the \`problem\`; the list comes again once it can. Routes are for admins, clients for those who may see them: what the token may not see is left out. Every \`id\` stands for the lists as they are after it: who comes back with it is told only the lists that have changed. Where the answer ends, wait as long as its last \`retry\` says, and ask again with the last \`id\`: on one machine it stays open, and on AWS it ends at once. A state that lasts for less than a second may be told by none.`,
  query: statesQuery,
  headers: statesHeaders,
  waitSeconds: wakeTimeoutSeconds,
  answers: {
    200: {
      description: 'Events, until one of both ends it.',
      content: { 'text/event-stream': z.string() },
    },
  },
  problems: ['forbidden'],
} satisfies Operation<unknown, z.output<typeof statesQuery>, z.output<typeof statesHeaders>>;

/** What is served here, as types: a client is checked against them. */
export type StateOperations = typeof states;

export type StateEndpointOptions = StateSources &
  Pick<LiveEndpointOptions, 'readers' | 'streams' | 'signal' | 'onError'>;

/** Time between two looks at a list, in milliseconds; longer the more a look reads. */
const lookEveryMs = 1000;
/** Where each look is a call, and paid for. */
const pollEveryMs = 2000;
/** So a list costs its reader five read units a second at most. */
const msForReadUnit = 200;

export function stateEndpoint(options: StateEndpointOptions): Endpoint {
  const { readers, streams, signal, onError } = options;
  const read = createReadStates(options);
  return endpoint(states, async ({ principal, query, headers, spending, isStillAllowed }) => {
    const { topic, filter, kinds } = query;
    // The same answer whether or not there are such commands.
    if (topic !== undefined && !principal.can('read', topic) && !principal.can('publish', topic))
      return missing('read', topic);
    const leave = readers.enter(principal.id);
    if (leave === undefined)
      return problemResponse(problem('rate-limited', 'too many live readers'), {
        'retry-after': '5',
      });
    const texts = textsOf({
      read,
      kinds,
      selection: { principal, topic, filter },
      after: headers['last-event-id'] ?? query.after,
      budget: spending.budget,
      everyMs: streams ? lookEveryMs : pollEveryMs,
    });
    if (streams) return eventStream(streamOf(texts, { isStillAllowed, leave, signal, onError }));
    try {
      return eventStream(await allNow(texts));
    } finally {
      leave();
    }
  });
}

interface Following {
  readonly read: ReadStates;
  readonly kinds: readonly StateKind[];
  readonly selection: StateSelection;
  readonly after: string | undefined;
  readonly budget: ReadBudget;
  readonly everyMs: number;
}

/** What a reader is told, look by look; empty where there is nothing new, or it is not yet time to look. */
async function* textsOf({
  read,
  kinds,
  selection,
  after,
  budget,
  everyMs,
}: Following): AsyncGenerator<string, never> {
  const told = new ToldStates(after);
  const nextMs = new Map<StateKind, number>(kinds.map((kind) => [kind, 0]));
  let isFirst = true;
  for (;;) {
    const lists = new Map<StateKind, StateList>();
    let longestMs = everyMs;
    for (const [kind, atMs] of nextMs) {
      if (performance.now() < atMs || !(await budget.isPaid())) continue;
      const look = lookOf(budget);
      const list = await read(kind, selection, look);
      const pauseMs = Math.max(everyMs, look.spent * msForReadUnit);
      longestMs = Math.max(longestMs, pauseMs);
      nextMs.set(kind, performance.now() + pauseMs);
      if (list === undefined) nextMs.delete(kind);
      else lists.set(kind, list);
    }
    const text = told.tell(lists);
    yield isFirst ? retryLine(longestMs) + (text === '' ? idLine(after) : text) : text;
    isFirst = false;
  }
}

const idLine = (after: string | undefined) => (after === undefined ? '' : cursorLine(after));

/** What one look may read: each is bounded as a request is, and paid by the same caller. */
function lookOf(budget: ReadBudget): ReadBudget {
  return new ReadBudget(maxReadUnits, {
    book: (units) => budget.book(units),
    mayRead: () => budget.isPaid(),
  });
}
