// What an envelope must be, as a schema, and the message in it. `envelope.ts` writes envelopes; `envelope-reading.ts` reads
// those from outside.
import * as z from 'zod';
import { messageEventTypes } from './event-version.ts';
import {
  type Message,
  type MessageProperties,
  maxIdBytes,
  maxPacketId,
  maxProducerIdBytes,
  maxSourceLength,
} from './message.ts';
import { topicFault } from './topic.ts';

const uint32 = z.int().min(0).max(0xffff_ffff);

const base64 = z.base64();

// JSON can write a lone surrogate, which UTF-8 cannot: it would be stored as something else, or not at all.
const isWellFormed = (text: string) => text.isWellFormed();
const wellFormed = 'must be well-formed Unicode, without lone surrogates';
const text = z.string().refine(isWellFormed, wellFormed);

const userPropertiesText = z.string().transform((text, context) => {
  try {
    const pairs = z.array(z.tuple([z.string(), z.string()])).parse(JSON.parse(text));
    if (pairs.every((pair) => pair.every(isWellFormed))) return pairs;
    context.addIssue(wellFormed);
  } catch {
    context.addIssue('must be JSON text of an array of [name, value] pairs');
  }
  return z.NEVER;
});

/** Of fixed width, so that the sort key built from it sorts by time. */
export const stampForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Whether there is such a date and time: the form alone allows a 13th month. */
export const isTime = (time: string) => !Number.isNaN(Date.parse(time));

const stampText = z
  .string()
  .regex(stampForm, 'must be RFC 3339 in UTC with microseconds')
  .refine(isTime, 'must be a date and time that there is');

/** One envelope as ingest accepts it. Attributes that it does not know are ignored, as CloudEvents asks. */
export const envelopeSchema = z
  .object({
    specversion: z.literal('1.0'),
    type: z.enum(messageEventTypes),
    id: text
      .min(1)
      .refine(
        (id) => Buffer.byteLength(id) <= maxIdBytes,
        `must be at most ${maxIdBytes} bytes in UTF-8`,
      ),
    producerid: text
      .min(1)
      .refine(
        (id) => Buffer.byteLength(id) <= maxProducerIdBytes,
        `must be at most ${maxProducerIdBytes} bytes in UTF-8`,
      )
      .optional(),
    source: text.min(1).max(maxSourceLength),
    subject: z.string().superRefine((topic, context) => {
      const fault = topicFault(topic);
      if (fault !== undefined) context.addIssue(fault);
    }),
    time: stampText,
    receivedafter: stampText.optional(),
    qos: z.union([z.literal(0), z.literal(1), z.literal(2)]),
    retain: z.boolean(),
    packetid: z.int().min(1).max(maxPacketId).optional(),
    possibleduplicate: z.boolean().optional(),
    contenttype: text.optional(),
    responsetopic: text.optional(),
    correlationdata: base64.optional(),
    userproperties: userPropertiesText.optional(),
    messageexpiry: uint32.optional(),
    payloadformat: z.union([z.literal(0), z.literal(1)]).optional(),
    data: text.optional(),
    data_base64: base64.optional(),
  })
  .refine(({ data, data_base64 }) => data === undefined || data_base64 === undefined, {
    path: ['data'],
    error: 'must not be given beside data_base64',
  });

export type Envelope = z.output<typeof envelopeSchema>;

/** The message that an envelope carries. */
export function decodeEnvelope(envelope: Envelope): Message {
  const properties = decodeProperties(envelope);
  return {
    id: envelope.id,
    ...(envelope.producerid !== undefined && { producerId: envelope.producerid }),
    source: envelope.source,
    topic: envelope.subject,
    time: envelope.time,
    payload:
      envelope.data_base64 === undefined
        ? Buffer.from(envelope.data ?? '', 'utf8')
        : Buffer.from(envelope.data_base64, 'base64'),
    qos: envelope.qos,
    retain: envelope.retain,
    ...(envelope.receivedafter !== undefined && { receivedAfter: envelope.receivedafter }),
    ...(envelope.packetid !== undefined && { packetId: envelope.packetid }),
    ...(envelope.possibleduplicate !== undefined && {
      possibleDuplicate: envelope.possibleduplicate,
    }),
    ...(properties !== undefined && { properties }),
  };
}

/**
 * The message in an envelope that `encodeEnvelope` wrote and we kept. Its form is ours, so it is not checked:
 * a message that breaks a rule of {@link envelopeSchema} may be kept for that very reason.
 */
export function decodeKeptEnvelope(text: string): Message {
  const { userproperties, ...envelope } = JSON.parse(text);
  return decodeEnvelope({
    ...envelope,
    ...(userproperties !== undefined && { userproperties: JSON.parse(userproperties) }),
  });
}

function decodeProperties(envelope: Envelope): MessageProperties | undefined {
  const properties: MessageProperties = {
    ...(envelope.contenttype !== undefined && { contentType: envelope.contenttype }),
    ...(envelope.responsetopic !== undefined && { responseTopic: envelope.responsetopic }),
    ...(envelope.correlationdata !== undefined && {
      correlationData: Buffer.from(envelope.correlationdata, 'base64'),
    }),
    ...(envelope.userproperties !== undefined && { userProperties: envelope.userproperties }),
    ...(envelope.messageexpiry !== undefined && { messageExpirySeconds: envelope.messageexpiry }),
    ...(envelope.payloadformat !== undefined && { payloadFormat: envelope.payloadformat }),
  };
  return Object.keys(properties).length === 0 ? undefined : properties;
}
