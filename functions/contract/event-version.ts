// The versions of our CloudEvents: what stands in `data`, and the `type` that says so.
import { isUtf8 } from 'node:buffer';
import { isJsonText, portable } from './json-syntax.ts';
import { declaredType, isJsonType } from './media-type.ts';
import type { Message } from './message.ts';

/**
 * 1: the payload is a string, or base64 where it is no UTF-8; so it is kept byte for byte, whatever reads the event. What
 * we keep and what our own ingest gets has this form.
 *
 * 2: JSON stands in `data` as the device wrote it, with `datacontenttype: application/json`.
 */
export type EventVersion = 1 | 2;

/** CloudEvents `type` of a message; a changed meaning of the envelope gets a new version. */
export const messageEventTypes = {
  1: 'causeway.mqtt.message.v1',
  2: 'causeway.mqtt.message.v2',
} as const satisfies Record<EventVersion, string>;

/**
 * Whether a payload stands in an event as JSON: what its device declares to be JSON and is, or, where
 * nothing is declared, an object or an array. What some parsers would refuse ({@link portable}) stays text, so that it
 * spoils no batch.
 */
export function isJsonData(message: Message): boolean {
  const { payload } = message;
  const declared = declaredType(message);
  const isWanted = declared === undefined ? isBracket(payload) : isJsonType(declared);
  return isWanted && isUtf8(payload) && isJsonText(payload, portable);
}

/** Whether the first character is that of an object or an array. */
function isBracket(payload: Uint8Array): boolean {
  for (let at = 0; at < payload.length; at++) {
    const first = payload[at];
    if (first === 0x7b || first === 0x5b) return true;
    if (first !== 0x20 && first !== 0x0a && first !== 0x0d && first !== 0x09) return false;
  }
  return false;
}
