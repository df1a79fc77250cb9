// GET /v1/messages, /v1/messages/latest and /v1/topics: what has been stored, by topic and time.
import { Hono } from 'hono';
import * as z from 'zod';
import { serveList } from './list.ts';
import {
  cursorParameter,
  filterParameter,
  limitParameter,
  timeParameter,
  topicParameter,
} from './parameters.ts';
import type { Reader } from './reader.ts';
import { messageJson } from './representation.ts';

const messagesQuery = z.strictObject({
  topic: topicParameter,
  from: timeParameter.optional(),
  to: timeParameter.optional(),
  order: z.enum(['newest', 'oldest'], 'must be newest or oldest').default('newest'),
  limit: limitParameter,
  cursor: cursorParameter,
});

const filterQuery = z.strictObject({
  filter: filterParameter.default('#'),
  limit: limitParameter,
  cursor: cursorParameter,
});

export function messageRoutes(reader: Reader): Hono {
  const app = new Hono();
  serveList(app, {
    path: '/messages',
    name: 'messages',
    query: messagesQuery,
    read: (query, after) => reader.messages(query, after),
    json: messageJson,
  });
  serveList(app, {
    path: '/messages/latest',
    name: 'messages',
    query: filterQuery,
    read: ({ filter, limit }, after) => reader.latest(filter, limit, after),
    json: messageJson,
  });
  serveList(app, {
    path: '/topics',
    name: 'topics',
    query: filterQuery,
    read: ({ filter, limit }, after) => reader.topics(filter, limit, after),
    json: (known) => JSON.stringify(known),
  });
  return app;
}
