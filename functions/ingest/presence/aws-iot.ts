// Presence as AWS IoT Core tells it, on `$aws/events/presence/connected/<client id>` and `…/disconnected/<client id>`
// (Developer Guide, "Lifecycle events"): out of order and doubled at times. Both events of a connection have its version
// number; client ids with + or # have no events.
import * as z from 'zod';
import { timeText } from '../../contract/time.ts';
import {
  clientIdField,
  connectionEvent,
  factsIn,
  fault,
  other,
  type ParsedPresence,
  reasonField,
  timeMsField,
} from './facts.ts';

const factsSchema = z.object({
  clientId: clientIdField,
  timestamp: timeMsField,
  /** "A monotonically increasing long integer value for each client ID connection". */
  versionNumber: z.int().min(0),
  disconnectReason: reasonField,
});

const topicForm = /^\$aws\/events\/presence\/(connected|disconnected)\/(.+)$/s;

/** `connect_failed`, in the same hierarchy, is another event. */
export function parseAwsIot(topic: string, payload: Uint8Array): ParsedPresence {
  const [, what, named] = topicForm.exec(topic) ?? [];
  if (what === undefined) return other;
  const parsed = factsIn(payload, factsSchema);
  if (!parsed.ok) return parsed.fault;
  const { clientId, timestamp, versionNumber, disconnectReason: reason } = parsed.facts;
  if (clientId !== named) return fault('clientId: is not the one of the topic');
  const place = { source: 'aws-iot', connection: versionNumber, at: timeText(timestamp) } as const;
  return connectionEvent(what === 'connected', clientId, place, reason);
}
