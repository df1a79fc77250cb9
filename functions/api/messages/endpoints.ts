// /v1/messages, /v1/messages/latest and /v1/topics: what has been stored, by topic and time.
import * as z from 'zod';
import { envelopeBatchType } from '../../contract/envelope.ts';
import { maxStringBytes } from '../../contract/topic.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import type { Spending } from '../access/api-environment.ts';
import type { Principal } from '../access/principal.ts';
import { missing } from '../access/scopes.ts';
import type { Cursors } from '../interface/cursor.ts';
import { filterHint, nearbyFilters, topicHint } from '../interface/hints.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import { type Answer, type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import {
  cursorParameter,
  defaultLimit,
  filterParameter,
  hintField,
  limitField,
  limitParameter,
  nextCursorField,
  timeParameter,
  topicParameter,
} from '../interface/parameters.ts';
import { asCloudEvents, cloudEventSchema, linkTo, prefersCloudEvents } from './cloud-events.ts';
import { csvType, exportFormatOf, ndjsonType } from './export-format.ts';
import type { Reader, TopicSelection } from './reader.ts';
import { messageJson, messageSchema, receivedAfterField } from './representation.ts';

const defaultOrder = 'newest';

const selectionFields = {
  topic: topicParameter,
  from: timeParameter.optional().describe('First time of receipt that belongs to the answer.'),
  to: timeParameter.optional().describe('First time of receipt that no longer does.'),
  order: z
    .enum(['newest', 'oldest'], 'must be newest or oldest')
    .default(defaultOrder)
    .describe('Which messages come first.'),
  cursor: cursorParameter,
};

const messagesQuery = z
  .strictObject({
    ...selectionFields,
    topic: topicParameter.optional(),
    filter: filterParameter
      .optional()
      // The example of the operation is of a topic.
      .meta({ examples: undefined })
      .describe(
        'Instead of `topic`: an export of all topics that it matches, topic by topic, oldest first.',
      ),
    order: selectionFields.order.unwrap().optional().meta({
      default: defaultOrder,
      description: 'Which messages of a topic come first.',
    }),
    limit: limitParameter.unwrap().optional().meta({
      default: defaultLimit,
      description: 'Maximum messages of a topic in the answer. An export has what fits.',
    }),
  })
  .superRefine(({ topic, filter, order, limit }, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (filter === undefined && topic === undefined) fault('topic', 'is required, or `filter`');
    if (filter === undefined) return;
    for (const [field, value] of Object.entries({ topic, order, limit }))
      if (value !== undefined) fault(field, 'must not be given with `filter`');
  });
const messagesBody = z
  .strictObject({ ...selectionFields, limit: limitField })
  .meta({ id: 'MessageQuery' });

const filterQuery = z.strictObject({
  filter: filterParameter.default('#'),
  limit: limitParameter,
  cursor: cursorParameter,
});

/** A topic of the longest kind, every byte of it escaped in six, and the other fields. */
const maxQueryBytes = 6 * maxStringBytes + 16 * 1024;

const acceptHeader = z.object({
  accept: z
    .string()
    .optional()
    .describe(`\`${envelopeBatchType}\` for CloudEvents; anything else gives JSON.`),
});

const messagesAnswer = {
  description: 'A page of messages.',
  content: {
    'application/json': z
      .strictObject({
        messages: z.array(messageSchema),
        nextCursor: nextCursorField,
        hint: hintField,
      })
      .meta({ id: 'MessagePage' }),
    [envelopeBatchType]: z.array(cloudEventSchema),
  },
  headers: { link: 'Of CloudEvents: the next page, `rel="next"`; absent on the last one.' },
} satisfies Answer;

const topicSchema = z
  .strictObject({
    topic: z.string(),
    lastSeen: z.iso
      .datetime({ precision: 6 })
      .describe('When a message of it was last received; behind by up to two minutes.'),
    receivedAfter: receivedAfterField,
    messages: z
      .int()
      .min(0)
      .describe('About how many messages it has had, also some of those that have expired since.'),
  })
  .meta({ id: 'Topic', description: 'A topic that messages have been stored of.' });

const listMessages = {
  id: 'listMessages',
  method: 'get',
  path: '/v1/messages',
  tag: 'Messages',
  summary: 'Stored messages of a topic, or an export of many topics',
  description:
    'With `filter` it is an export: a message a line as JSON, or as CSV where `Accept` asks for `text/csv`, with the names of its columns in the first answer. An answer has up to 3 MB, or what 256 read units find, and may be empty although there is more; then it has the address of what follows in its header `Link`, which also goes on after a cut.',
  query: messagesQuery,
  headers: acceptHeader,
  answers: {
    200: {
      description: 'A page of messages, or a part of an export.',
      content: { ...messagesAnswer.content, [ndjsonType]: z.string(), [csvType]: z.string() },
      headers: {
        link: 'Of CloudEvents and exports: what follows, `rel="next"`; absent at the end.',
      },
    },
  },
  problems: ['forbidden'],
} satisfies Operation<unknown, z.output<typeof messagesQuery>>;

const queryMessages = {
  id: 'queryMessages',
  method: 'post',
  path: '/v1/messages/query',
  tag: 'Messages',
  summary: 'Stored messages of a topic that is too long for a URL',
  description:
    'The same as `GET /v1/messages`, with the parameters in a JSON body. The next page of CloudEvents has its cursor in the attribute `cursor` of the `Link` header.',
  headers: acceptHeader,
  body: { schema: messagesBody, maxBytes: maxQueryBytes },
  answers: { 200: messagesAnswer },
  problems: ['forbidden'],
} satisfies Operation;

const listLatest = {
  id: 'listLatestMessages',
  method: 'get',
  path: '/v1/messages/latest',
  tag: 'Messages',
  summary: 'The newest message of every topic that a filter matches',
  query: filterQuery,
  headers: acceptHeader,
  answers: { 200: messagesAnswer },
  problems: [],
} satisfies Operation;

const listTopics = {
  id: 'listTopics',
  method: 'get',
  path: '/v1/topics',
  tag: 'Messages',
  summary: 'Topics that messages have been stored of',
  query: filterQuery,
  answers: {
    200: {
      description: 'A page of topics, sorted by name.',
      content: {
        'application/json': z
          .strictObject({
            topics: z.array(topicSchema),
            nextCursor: nextCursorField,
            hint: hintField,
          })
          .meta({ id: 'TopicPage' }),
      },
    },
  },
  problems: [],
} satisfies Operation;

/** What is served here, as types: a client is checked against them. */
export type MessageOperations =
  | typeof listMessages
  | typeof queryMessages
  | typeof listLatest
  | typeof listTopics;

type TopicQuery = z.output<typeof messagesBody>;

export function messageEndpoints(reader: Reader, cursors: Cursors): Endpoint[] {
  const jsonMessages = asJsonList('messages', messageJson);

  function answerMessages(
    { principal, spending: { budget } }: { principal: Principal; spending: Spending },
    selection: TopicQuery,
    render: typeof jsonMessages,
  ): Promise<Response> | Response {
    // The same answer whether or not there are such messages.
    if (!principal.can('read', selection.topic)) return missing('read', selection.topic);
    const read = (after: string | undefined) => reader.messages({ ...selection, budget }, after);
    const hint = async () => {
      const nearby = nearbyFilters(selection.topic).flatMap((one) => principal.within('read', one));
      return topicHint(selection.topic, await reader.near(nearby, budget));
    };
    return answerList({ name: 'messages', principal, selection, read, render, hint }, cursors);
  }

  function answerExport(
    { principal, spending: { budget } }: { principal: Principal; spending: Spending },
    { filter = '#', ...query }: Omit<z.output<typeof messagesQuery>, 'topic' | 'order' | 'limit'>,
    accept: string | undefined,
  ): Promise<Response> {
    const format = exportFormatOf(accept);
    // As much as fits.
    const selection = { ...query, filter, limit: Number.POSITIVE_INFINITY };
    const visible = visibleTo(principal, selection, budget);
    return answerList(
      {
        name: 'export',
        principal,
        selection,
        read: (after) => reader.exported({ ...query, ...visible, render: format.render }, after),
        render(lines, nextCursor) {
          const head = query.cursor === undefined ? format.head : '';
          return new Response(head + lines.join(''), {
            headers: {
              'content-type': format.type,
              ...(nextCursor !== undefined && {
                link: linkTo(listMessages.path, { ...query, filter }, nextCursor),
              }),
            },
          });
        },
      },
      cursors,
    );
  }

  return [
    endpoint(listMessages, ({ query, headers, ...asked }) => {
      const { topic, filter, order = defaultOrder, limit = defaultLimit, ...rest } = query;
      if (topic === undefined) return answerExport(asked, { ...rest, filter }, headers.accept);
      const events = asCloudEvents(listMessages.path, query);
      return answerMessages(
        asked,
        { ...rest, topic, order, limit },
        prefersCloudEvents(headers.accept) ? events : jsonMessages,
      );
    }),
    endpoint(queryMessages, ({ body, headers, ...asked }) => {
      const events = asCloudEvents(queryMessages.path, undefined);
      return answerMessages(
        asked,
        body,
        prefersCloudEvents(headers.accept) ? events : jsonMessages,
      );
    }),
    endpoint(listLatest, ({ principal, query, headers, spending: { budget } }) =>
      answerList(
        {
          name: 'latest',
          principal,
          selection: query,
          read: (after) => reader.latest(visibleTo(principal, query, budget), after),
          render: prefersCloudEvents(headers.accept)
            ? asCloudEvents(listLatest.path, query)
            : jsonMessages,
          hint: () => filterHint(query.filter),
        },
        cursors,
      ),
    ),
    endpoint(listTopics, ({ principal, query, spending: { budget } }) =>
      answerList(
        {
          name: 'topics',
          principal,
          selection: query,
          read: (after) => reader.topics(visibleTo(principal, query, budget), after),
          render: asJsonList('topics', JSON.stringify),
          hint: () => filterHint(query.filter),
        },
        cursors,
      ),
    ),
  ];
}

function visibleTo(
  principal: Principal,
  { filter, limit }: { filter: string; limit: number },
  budget: ReadBudget,
): TopicSelection {
  return {
    filters: principal.within('read', filter),
    limit,
    isVisible: (topic) => principal.can('read', topic),
    budget,
  };
}
