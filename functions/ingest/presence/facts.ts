// What the parsers of presence messages have in common: bounded JSON, client ids and times that can be kept, and
// what a message can turn out to be.
import * as z from 'zod';
import { faultsText, parseWith } from '../../contract/parse.ts';
import type { Place, PresenceEvent } from '../../contract/presence.ts';
import { stringFault } from '../../contract/topic.ts';

/** A message is an event, one of another kind that the same filter matches, or nothing that can be read. */
export type ParsedPresence =
  | { readonly kind: 'event'; readonly event: PresenceEvent }
  | { readonly kind: 'other' }
  | { readonly kind: 'fault'; readonly reason: string };

export const other: ParsedPresence = { kind: 'other' };

export function fault(reason: string): ParsedPresence {
  return { kind: 'fault', reason };
}

/** That a connection has begun or ended, where both events have its number: the end comes behind the begin. */
export function connectionEvent(
  hasBegun: boolean,
  clientId: string,
  place: Omit<Place, 'step'>,
  reason: string | undefined,
): ParsedPresence {
  if (hasBegun)
    return { kind: 'event', event: { clientId, status: 'online', place: { ...place, step: 1 } } };
  const why = reason !== undefined && { reason };
  const event = { clientId, status: 'offline', place: { ...place, step: 2 }, ...why } as const;
  return { kind: 'event', event };
}

/** Facts of one connection take a few hundred bytes, and a client id up to 64 KB, each byte of it escaped in six. */
const maxPayloadBytes = 512 * 1024;
const maxReasonLength = 200;

/** A client id that MQTT can carry, and not the empty one: the broker gives such a client another [MQTT-3.1.3-6]. */
export const clientIdField = z
  .string()
  .min(1)
  .superRefine((id, context) => {
    const rule = stringFault(id);
    if (rule !== undefined) context.addIssue(rule);
  });

/** A time in ms since 1970, of four-digit years. */
export const timeMsField = z.int().min(0).max(253_402_300_799_999);

/** Why a connection ended, cut to 200 characters; what cannot be kept is left out. */
export const reasonField = z
  .string()
  .transform((text) => text.slice(0, maxReasonLength).toWellFormed())
  .optional()
  .catch(undefined);

export type ParsedFacts<T> =
  | { readonly ok: true; readonly facts: T }
  | { readonly ok: false; readonly fault: ParsedPresence };

/** The payload as JSON that keeps to a schema. */
export function factsIn<S extends z.ZodType>(
  payload: Uint8Array,
  schema: S,
): ParsedFacts<z.output<S>> {
  if (payload.byteLength > maxPayloadBytes)
    return { ok: false, fault: fault(`the payload has more than ${maxPayloadBytes} bytes`) };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return { ok: false, fault: fault('the payload is not JSON') };
  }
  const parsed = parseWith(schema, value);
  return parsed.ok
    ? { ok: true, facts: parsed.value }
    : { ok: false, fault: fault(faultsText(parsed.faults)) };
}
