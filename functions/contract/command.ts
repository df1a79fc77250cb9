// The way down: what a caller may ask to publish, and the same as the api hands it to the bridge.
import * as z from 'zod';
import { publishTopicFault } from './topic.ts';

/** Largest body of a publish request, in bytes. */
export const maxPublishBodyBytes = 1024 * 1024;

/** MQTT strings are at most 65,535 bytes of well-formed UTF-8 without U+0000 [MQTT-1.5.4]. */
const mqttString = z
  .string()
  .refine(
    (text) => text.isWellFormed() && !text.includes('\u0000'),
    'must be well-formed Unicode without U+0000',
  )
  .refine((text) => Buffer.byteLength(text) <= 65_535, 'must be at most 65535 bytes in UTF-8');

const topic = z.string().superRefine((value, context) => {
  const fault = publishTopicFault(value);
  if (fault !== undefined) context.addIssue(fault);
});

const common = {
  topic,
  qos: z.literal([0, 1, 2], 'must be 0, 1 or 2').default(1),
  retain: z.boolean().default(false),
  contentType: mqttString.optional(),
  userProperties: z
    .array(z.tuple([mqttString, mqttString]))
    .max(100)
    .optional(),
  /** Seconds after which the broker no longer delivers it. MQTT 5 only; 1 to 2^32 - 1. */
  expirySeconds: z.int().min(1).max(0xffff_ffff).optional(),
};

/** Body of `POST /v1/publish`. A payload that is not a string is sent as its JSON text. */
export const publishRequestSchema = z
  .strictObject({
    ...common,
    // Not z.json(), which drops `__proto__` keys: what JSON.parse gave is JSON already, and goes on as it is.
    payload: z.unknown().optional(),
    payloadBase64: z.base64('must be base64 with padding').optional(),
  })
  .superRefine((request, context) => {
    if ((request.payload === undefined) === (request.payloadBase64 === undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['payload'],
        message: 'exactly one of payload and payloadBase64 must be given',
      });
    }
  });

export type PublishRequest = z.output<typeof publishRequestSchema>;

/** A command as the api hands it to the bridge: checked, and its payload in bytes. */
export const commandSchema = z.strictObject({ ...common, id: z.uuid(), payloadBase64: z.base64() });

export type Command = z.output<typeof commandSchema>;

/** The exact bytes that a publish request asks to send, as base64. */
export function payloadBase64Of(request: PublishRequest): string {
  const { payload, payloadBase64 } = request;
  if (payloadBase64 !== undefined) return payloadBase64;
  return Buffer.from(
    typeof payload === 'string' ? payload : JSON.stringify(payload),
    'utf8',
  ).toString('base64');
}

/** The bridge's answer when the broker has acknowledged the command. */
export const commandSentSchema = z.object({
  id: z.string(),
  status: z.literal('sent'),
  sentAt: z.string(),
  /** False when the broker said that no one is subscribed (MQTT 5 reason code 0x10); absent if unknown. */
  hadSubscribers: z.boolean().optional(),
});

export type CommandSent = z.output<typeof commandSentSchema>;
