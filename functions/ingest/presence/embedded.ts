// Presence as the embedded broker tells it, on `$events/client/connected` and `$events/client/disconnected`. The number
// of a connection is its epoch, which grows over restarts of the broker too.
import * as z from 'zod';
import { timeText } from '../../contract/time.ts';
import {
  clientIdField,
  connectionEvent,
  factsIn,
  other,
  type ParsedPresence,
  reasonField,
} from './facts.ts';

const factsSchema = z.object({
  clientId: clientIdField,
  epoch: z.int().min(0),
  time: z.iso.datetime().transform((text) => timeText(Date.parse(text))),
  reason: reasonField,
});

/** `subscribed` and `unsubscribed`, on the same filter, are other events. */
export function parseEmbedded(topic: string, payload: Uint8Array): ParsedPresence {
  const what = /^\$events\/client\/(connected|disconnected)$/.exec(topic)?.[1];
  if (what === undefined) return other;
  const parsed = factsIn(payload, factsSchema);
  if (!parsed.ok) return parsed.fault;
  const { clientId, epoch, time: at, reason } = parsed.facts;
  const place = { source: 'embedded', connection: epoch, at } as const;
  return connectionEvent(what === 'connected', clientId, place, reason);
}
