// Presence as EMQX tells it: on `$SYS/brokers/<node>/clients/<client id>/connected` and `…/disconnected` ("System
// Topic"), and on `$event/client_connected` and the like, where a rule or plugin publishes the events of the rule engine
// ("Rule Engine", "SQL Data Sources and Fields": `$events/client_connected`, all fields). A connection is known by the
// time of its begin, which in disconnected events only EMQX 5's system topics have.
import * as z from 'zod';
import { timeText } from '../../contract/time.ts';
import {
  clientIdField,
  factsIn,
  fault,
  other,
  type ParsedPresence,
  reasonField,
  timeMsField,
} from './facts.ts';

const factsSchema = z.object({
  clientid: clientIdField,
  connected_at: timeMsField.optional(),
  disconnected_at: timeMsField.optional(),
  /** When the event was made, in system topics; `timestamp` in those of rules. */
  ts: timeMsField.optional(),
  timestamp: timeMsField.optional(),
  reason: reasonField,
});

const systemTopic = /^\$SYS\/brokers\/[^/]+\/clients\/(.+)\/(connected|disconnected)$/s;
const ruleTopic = /(?:^|\/)client[_.](connected|disconnected)$/;

/**
 * Another connection of the client has taken over, and that one tells what holds now. These events say nothing of being
 * offline, and their times mislead: `connected_at` can be later than `disconnected_at` (emqx #13484).
 */
const takeovers: readonly (string | undefined)[] = ['takenover', 'takeover', 'discarded'];

/** `subscribed` and `unsubscribed`, below the same filter, are other events. */
export function parseEmqx(topic: string, payload: Uint8Array): ParsedPresence {
  const [, named, told] = systemTopic.exec(topic) ?? [];
  const what = told ?? ruleTopic.exec(topic)?.[1];
  if (what === undefined) return other;
  const parsed = factsIn(payload, factsSchema);
  if (!parsed.ok) return parsed.fault;
  const { clientid: clientId, connected_at: begunMs, reason, ts, timestamp } = parsed.facts;
  if (named !== undefined && named !== clientId)
    return fault('clientid: is not the one of the topic');
  if (what === 'connected') {
    if (begunMs === undefined) return fault('connected_at: is missing');
    const place = { source: 'emqx', connection: begunMs, step: 1, at: timeText(begunMs) } as const;
    return { kind: 'event', event: { clientId, status: 'online', place } };
  }
  if (takeovers.includes(reason)) return other;
  const endedMs = parsed.facts.disconnected_at ?? ts ?? timestamp;
  if (endedMs === undefined) return fault('disconnected_at: is missing');
  const place = {
    source: 'emqx',
    connection: begunMs ?? endedMs,
    step: begunMs === undefined ? 0 : 2,
    at: timeText(endedMs),
  } as const;
  const why = reason !== undefined && { reason };
  return { kind: 'event', event: { clientId, status: 'offline', place, ...why } };
}
