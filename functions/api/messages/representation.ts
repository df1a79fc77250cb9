// How stored messages look to a caller: JSON payloads as JSON, text as text, anything else as base64.
import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import { asBuffer } from '../../contract/json-pieces.ts';
import type { Message } from '../../contract/message.ts';

export const contentTypeField = z
  .string()
  .optional()
  .describe('As the device declared it (MQTT 5).');

export const userPropertiesField = z
  .array(z.array(z.string()).length(2))
  .optional()
  .describe('Pairs of name and value, in the order of the device.');

/** What {@link payloadMember} writes. */
export const payloadFields = {
  payload: z
    .unknown()
    .optional()
    .describe('The payload where it is UTF-8: JSON as it was sent, byte for byte; else a string.'),
  payloadBase64: z.base64().optional().describe('The payload where it is not UTF-8.'),
};

export const receivedAfterField = z.iso
  .datetime({ precision: 6 })
  .optional()
  .describe(
    "There where the bridge's clock was set back by more than a minute: messages with times up to this one may have come before this message.",
  );

/** A stored message, as {@link messageJson} writes it. */
export const messageSchema = z
  .strictObject({
    id: z.string().describe('Unique within its source.'),
    producerId: z
      .string()
      .optional()
      .describe('The id that its producer gave it, as a CloudEvent: others may give the same.'),
    source: z.string().describe('URI of the broker and the session that received it.'),
    topic: z.string(),
    time: z.iso.datetime({ precision: 6 }).describe('When it was received, in UTC.'),
    receivedAfter: receivedAfterField,
    qos: z.int().min(0).max(2).describe('QoS that it was received with.'),
    retain: z.boolean().describe('Whether the broker sent it as a retained message.'),
    contentType: contentTypeField,
    responseTopic: z.string().optional(),
    correlationDataBase64: z.base64().optional(),
    userProperties: userPropertiesField,
    messageExpirySeconds: z
      .int()
      .min(0)
      .optional()
      .describe('Seconds it had left to live when the broker sent it.'),
    payloadFormat: z
      .int()
      .min(0)
      .max(1)
      .optional()
      .describe('1: the device declared the payload to be text.'),
    ...payloadFields,
  })
  .meta({ id: 'Message', description: 'A stored message.' });

/**
 * One message as JSON text. A payload that is JSON, but not a JSON string, stands there as it was sent, byte
 * for byte: re-serializing would change 2^53+1, 1e400 and doubled keys. A string is the text of the payload.
 * So what `payload` holds can be given to `POST /v1/publish` and sends the same again.
 */
export function messageJson(message: Message): string {
  const { payload, properties, packetId: _, possibleDuplicate: __, ...rest } = message;
  const { correlationData, ...shown } = properties ?? {};
  const head = JSON.stringify({
    ...rest,
    ...shown,
    ...(correlationData !== undefined && {
      correlationDataBase64: asBuffer(correlationData).toString('base64'),
    }),
  });
  return `${head.slice(0, -1)},${payloadMember(payload)}}`;
}

/** The payload as a member of a JSON object: `"payload":…` or `"payloadBase64":"…"`. */
export function payloadMember(payload: Uint8Array): string {
  const shown = shownPayload(payload);
  if (shown.kind === 'bytes') return `"payloadBase64":"${shown.base64}"`;
  return `"payload":${shown.kind === 'json' ? shown.text : JSON.stringify(shown.text)}`;
}

/** A payload as one of the three things that can be shown. */
export type ShownPayload =
  | { readonly kind: 'json' | 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly base64: string };

/** Tells what a payload is: JSON, but not a JSON string; other text; or neither. */
export function shownPayload(payload: Uint8Array): ShownPayload {
  const bytes = asBuffer(payload);
  if (!isUtf8(bytes)) return { kind: 'bytes', base64: bytes.toString('base64') };
  const text = bytes.toString('utf8');
  return { kind: isJsonValue(text) ? 'json' : 'text', text };
}

function isJsonValue(text: string): boolean {
  try {
    return typeof JSON.parse(text) !== 'string';
  } catch {
    return false;
  }
}
