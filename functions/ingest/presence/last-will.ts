// Presence as devices tell it themselves, at brokers that do not: a message "online", mostly retained, on a topic with
// the client id in it, and "offline" as the last will on the same topic. What counts is when they came.
import type { Message } from '../../contract/message.ts';
import { clientIdIn, type LastWillForm } from '../../contract/presence-feed.ts';
import { stringFault } from '../../contract/topic.ts';
import { fault, other, type ParsedPresence } from './facts.ts';

export type LastWillMessage = Pick<Message, 'topic' | 'payload' | 'time' | 'receivedAfter'>;

/** The message's time of receipt orders those of one topic. */
export function parseLastWill(
  { topic, payload, time, receivedAfter }: LastWillMessage,
  form: LastWillForm,
): ParsedPresence {
  const clientId = clientIdIn(topic, form.filter);
  if (clientId === undefined) return other;
  if (clientId === '') return fault('the topic has no client id');
  const idRule = stringFault(clientId);
  if (idRule !== undefined) return fault(`the client id ${idRule}`);
  // Clears what is retained: it says that nothing is known, and what was known stays.
  if (payload.byteLength === 0) return other;
  const text = Buffer.from(payload).toString('utf8');
  if (text !== form.online && text !== form.offline)
    return fault(`the payload is neither "${form.online}" nor "${form.offline}"`);
  const status = text === form.online ? 'online' : 'offline';
  // Where the bridge's clock was set back: behind all that came before, and by their times among each other.
  const connection = receivedAfter === undefined ? microsOf(time) : microsOf(receivedAfter) + 1;
  const place = { source: 'last-will', connection, step: 1, at: time } as const;
  return { kind: 'event', event: { clientId, status, place } };
}

/** Microseconds since 1970: below 2^53 until the year 2255. */
function microsOf(time: string): number {
  return Date.parse(time) * 1000 + Number(time.slice(23, 26));
}
