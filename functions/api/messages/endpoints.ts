// /v1/messages, /v1/messages/latest and /v1/topics: what has been stored, by topic and time.
import * as z from 'zod';
import { envelopeBatchType } from '../../contract/envelope.ts';
import { problem, problemResponse } from '../../contract/problem.ts';
import { maxStringBytes } from '../../contract/topic.ts';
import type { Principal } from '../access/principal.ts';
import type { Cursors } from '../interface/cursor.ts';
import { answerList, asJsonList } from '../interface/list.ts';
import { type Answer, type Endpoint, endpoint, type Operation } from '../interface/operation.ts';
import {
  cursorParameter,
  filterParameter,
  limitField,
  limitParameter,
  nextCursorField,
  timeParameter,
  topicParameter,
} from '../interface/parameters.ts';
import { asCloudEvents, cloudEventSchema, prefersCloudEvents } from './cloud-events.ts';
import type { Reader } from './reader.ts';
import { messageJson, messageSchema } from './representation.ts';

const selectionFields = {
  topic: topicParameter,
  from: timeParameter.optional().describe('First time of receipt that belongs to the answer.'),
  to: timeParameter.optional().describe('First time of receipt that no longer does.'),
  order: z
    .enum(['newest', 'oldest'], 'must be newest or oldest')
    .default('newest')
    .describe('Which messages come first.'),
  cursor: cursorParameter,
};

const messagesQuery = z.strictObject({ ...selectionFields, limit: limitParameter });
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

const messagesAnswer: Answer = {
  description: 'A page of messages.',
  content: {
    'application/json': z
      .strictObject({ messages: z.array(messageSchema), nextCursor: nextCursorField })
      .meta({ id: 'MessagePage' }),
    [envelopeBatchType]: z.array(cloudEventSchema),
  },
  headers: { link: 'Of CloudEvents: the next page, `rel="next"`; absent on the last one.' },
};

const topicSchema = z
  .strictObject({
    topic: z.string(),
    lastSeen: z.iso
      .datetime({ precision: 6 })
      .describe('When a message of it was last received; behind by up to two minutes.'),
    messages: z
      .int()
      .min(0)
      .describe('About how many messages it has had, also those that have expired since.'),
  })
  .meta({ id: 'Topic', description: 'A topic that messages have been stored of.' });

const listMessages = {
  id: 'listMessages',
  method: 'get',
  path: '/v1/messages',
  tag: 'Messages',
  summary: 'Stored messages of a topic',
  query: messagesQuery,
  headers: acceptHeader,
  answers: { 200: messagesAnswer },
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
          .strictObject({ topics: z.array(topicSchema), nextCursor: nextCursorField })
          .meta({ id: 'TopicPage' }),
      },
    },
  },
  problems: [],
} satisfies Operation;

type MessageQuery = z.output<typeof messagesQuery>;

export function messageEndpoints(reader: Reader, cursors: Cursors): Endpoint[] {
  const jsonMessages = asJsonList('messages', messageJson);

  function answerMessages(
    principal: Principal,
    selection: MessageQuery,
    render: typeof jsonMessages,
  ): Promise<Response> | Response {
    // The same answer whether or not there are such messages.
    if (!principal.can('read', selection.topic)) return problemResponse(problem('forbidden'));
    const read = (after: string | undefined) => reader.messages(selection, after);
    return answerList({ name: 'messages', principal, selection, read, render }, cursors);
  }

  return [
    endpoint(listMessages, ({ principal, query, headers }) => {
      const events = asCloudEvents(listMessages.path, query);
      return answerMessages(
        principal,
        query,
        prefersCloudEvents(headers.accept) ? events : jsonMessages,
      );
    }),
    endpoint(queryMessages, ({ principal, body, headers }) => {
      const events = asCloudEvents(queryMessages.path, undefined);
      return answerMessages(
        principal,
        body,
        prefersCloudEvents(headers.accept) ? events : jsonMessages,
      );
    }),
    endpoint(listLatest, ({ principal, query, headers }) =>
      answerList(
        {
          name: 'latest',
          principal,
          selection: query,
          read: (after) => reader.latest(visibleTo(principal, query), after),
          render: prefersCloudEvents(headers.accept)
            ? asCloudEvents(listLatest.path, query)
            : jsonMessages,
        },
        cursors,
      ),
    ),
    endpoint(listTopics, ({ principal, query }) =>
      answerList(
        {
          name: 'topics',
          principal,
          selection: query,
          read: (after) => reader.topics(visibleTo(principal, query), after),
          render: asJsonList('topics', JSON.stringify),
        },
        cursors,
      ),
    ),
  ];
}

function visibleTo(principal: Principal, { filter, limit }: { filter: string; limit: number }) {
  return { filter, limit, isVisible: (topic: string) => principal.can('read', topic) };
}
