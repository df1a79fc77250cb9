// /v1/messages/live: messages as they are stored, as server-sent events; a stream where the server can hold one, and
// what there is by now where it cannot.
import { setMaxListeners } from 'node:events';
import * as z from 'zod';
import { problem, problemResponse } from '../../contract/problem.ts';
import { matchesFilter } from '../../contract/topic.ts';
import { cursorPattern, positionOf } from '../../feed/position.ts';
import type { Spending } from '../access/api-environment.ts';
import { type Endpoint, endpoint, invalid, type Operation } from '../interface/operation.ts';
import { filterParameter } from '../interface/parameters.ts';
import { cursorLine, event, missedEvent, retryLine } from './events.ts';
import type { Live, Opened } from './live.ts';
import type { Readers } from './readers.ts';
import type { Page } from './reading.ts';
import { allNow, eventStream, streamOf } from './stream.ts';

const cursorRule = 'must be the id of an event of this stream';
const cursor = z.string().max(9200, cursorRule).regex(cursorPattern, cursorRule);

const liveQuery = z.strictObject({
  filter: filterParameter.default('#'),
  after: cursor
    .optional()
    .describe('Goes on behind the event with this id; the header `Last-Event-ID` says the same.'),
});

const liveHeaders = z.object({
  'last-event-id': cursor
    .optional()
    .describe('Goes on behind the event with this id; it goes before `after`.'),
});

const live = {
  id: 'liveMessages',
  method: 'get',
  path: '/v1/messages/live',
  tag: 'Messages',
  summary: 'Messages as they are stored, as server-sent events',
  description:
    'Each message once, those of a topic in the order in which they were stored. Events: `ready`, from which on nothing is missed; `message`, its data as in `GET /v1/messages`; `missed`, with `from`, `to`, `reason` (`slow`, `expired` or `not-noted`) and maybe `after`, a cursor that reads it. Every `id` is a cursor. Where the answer ends, wait as long as its last `retry` says, and ask again with the last `id`: on one machine it stays open, and on AWS it ends at once. What is stored is noted while somebody watches and for an hour after the last reader: who comes back later is told what it missed.',
  query: liveQuery,
  headers: liveHeaders,
  answers: {
    200: {
      description: 'Events, until one of both ends it.',
      content: { 'text/event-stream': z.string() },
    },
  },
  problems: [],
} satisfies Operation<unknown, z.output<typeof liveQuery>, z.output<typeof liveHeaders>>;

/** What is served here, as types: a client is checked against them. */
export type LiveOperations = typeof live;

export interface LiveEndpointOptions {
  readonly live: Live;
  readonly readers: Readers;
  /** Whether an answer may stay open. */
  readonly streams: boolean;
  /** Ends all streams, before the table goes. Default never. */
  readonly signal?: AbortSignal | undefined;
  readonly now?: () => number;
  /** Told of failures that end a stream. */
  readonly onError?: (error: Error) => void;
}

/** After an answer that is a stream a client may come back at once; else it would be asked without a pause. */
const retryMs = 1000;

export function liveEndpoints(options: LiveEndpointOptions): Endpoint[] {
  const { readers, streams, now = Date.now } = options;
  // Each reader listens to it.
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  return [
    endpoint(live, async ({ principal, query, headers, spending, isStillAllowed }) => {
      const after = headers['last-event-id'] ?? query.after;
      const position = after === undefined ? undefined : positionOf(after);
      if (after !== undefined && position === undefined)
        return invalid([{ field: 'after', rule: cursorRule }]);
      const leave = readers.enter(principal.id);
      if (leave === undefined)
        return problemResponse(problem('rate-limited', 'too many live readers'), {
          'retry-after': '5',
        });
      const filters = principal.within('read', query.filter);
      const isWanted = (topic: string) =>
        filters.some((filter) => matchesFilter(filter, topic)) && principal.can('read', topic);
      try {
        const opened = await options.live.open(position, isWanted);
        const texts = textsOf(opened, spending, now);
        if (!streams) {
          const text = await allNow(texts);
          leave();
          return eventStream(text);
        }
        const { live: own, signal, onError } = options;
        return eventStream(
          streamOf(texts, { renew: () => own.renew(), isStillAllowed, leave, signal, onError }),
        );
      } catch (error) {
        leave();
        throw error;
      }
    }),
  ];
}

/** What a reader is told, look by look; empty where there is nothing new. */
async function* textsOf(
  { reading, readyMs, missed }: Opened,
  { budget }: Spending,
  now: () => number,
): AsyncGenerator<string, never> {
  let text = retryLine(retryMs);
  if (missed !== undefined) text += missedEvent(missed);
  let isReady = false;
  for (;;) {
    if (!(await budget.isPaid())) {
      yield text;
      text = '';
      continue;
    }
    const becomesReady = !isReady && now() >= readyMs;
    const page = await reading.page();
    // About: a look at who writes and at each, and each message at what it takes by itself.
    budget.book(2 + page.texts.length);
    text += pageText(page);
    if (becomesReady && !page.hasMore) {
      isReady = true;
      text += event('ready', '{}', page.cursor);
    } else if (text !== '') {
      // A message's cursor is the window's, where the reader may have seen what stands behind it.
      text += cursorLine(page.cursor);
    }
    yield text;
    text = '';
  }
}

function pageText({ texts, missed }: Page): string {
  return missed.map(missedEvent).join('') + texts.join('');
}
