// The envelope: a message as a CloudEvents 1.0 JSON event, and a batch of them as the body of one POST.
import { isUtf8 } from 'node:buffer';
import * as z from 'zod';
import { type Message, type MessageProperties, maxIdBytes } from './message.ts';
import { topicFault } from './topic.ts';

export const envelopeBatchType = 'application/cloudevents-batch+json';
/** CloudEvents `type` of a message; a changed meaning of the envelope gets a new version. */
export const messageEventType = 'causeway.mqtt.message.v1';

/**
 * One message as CloudEvents JSON text.
 *
 * A UTF-8 payload travels as a string, which keeps it byte for byte; parsing it as JSON here would not
 * (1e400, 2^53+1, doubled keys, white space). So `datacontenttype` describes the string, and what the
 * device declared is the extension attribute `contenttype`. Any other payload travels as `data_base64`.
 * Built by concatenation: this runs once a message on the bridge's hot path.
 */
export function encodeEnvelope(message: Message): string {
  const json = encodeAttributes(message);
  const payload = asBuffer(message.payload);
  const text = payload.toString('utf8');
  // Only bytes that are no UTF-8, and the rare text that holds one, decode to a replacement character: looking
  // for it is cheaper than asking isUtf8 about each payload.
  if (text.includes('\ufffd') && !isUtf8(payload)) {
    return `${json},"data_base64":"${payload.toString('base64')}"}`;
  }
  return `${json},"datacontenttype":"text/plain","data":${JSON.stringify(text)}}`;
}

/** The event as JSON text, up to its data: without that and without the closing brace. */
export function encodeAttributes(message: Message): string {
  const { properties } = message;
  let json = `{"specversion":"1.0","type":"${messageEventType}","id":${JSON.stringify(message.id)},"source":${sourceJson(
    message.source,
  )},"subject":${JSON.stringify(message.topic)},"time":"${message.time}","qos":${message.qos},"retain":${message.retain}`;
  if (message.packetId !== undefined) json += `,"packetid":${message.packetId}`;
  if (message.replayId !== undefined) json += `,"replayid":${JSON.stringify(message.replayId)}`;
  if (message.possibleDuplicate) json += ',"possibleduplicate":true';
  if (properties !== undefined) json += encodeProperties(properties);
  return json;
}

let lastSource = '';
let lastSourceJson = '""';

/** A session has one source, and a bridge few: the last one is nearly always the next one. */
function sourceJson(source: string): string {
  if (source !== lastSource) {
    lastSource = source;
    lastSourceJson = JSON.stringify(source);
  }
  return lastSourceJson;
}

/**
 * The body of one POST: a JSON array of envelopes. Written into one buffer of its size, not joined to a string
 * first: that copies every byte once more, half a microsecond a message.
 */
export function encodeBatch(messages: readonly Message[]): Buffer {
  const envelopes = messages.map(encodeEnvelope);
  const size = envelopes.reduce((sum, envelope) => sum + Buffer.byteLength(envelope) + 1, 1);
  const body = Buffer.allocUnsafeSlow(Math.max(size, 2));
  let offset = 0;
  for (const envelope of envelopes) {
    offset = body.writeUInt8(offset === 0 ? 0x5b : 0x2c, offset);
    offset += body.write(envelope, offset);
  }
  if (envelopes.length === 0) offset = body.writeUInt8(0x5b, offset);
  body.writeUInt8(0x5d, offset);
  return body;
}

/** Attributes of an envelope that are there for every message, with the punctuation around them. */
const fixedEnvelopeBytes = 350;

/**
 * About how many bytes the envelope takes: base64 adds a third, and text with its quotes escaped seldom more.
 * Near enough to fill requests with; what a batch really takes is known when it is encoded.
 */
export function estimateEnvelopeBytes({ payload, topic, properties }: Message): number {
  const propertyBytes = properties === undefined ? 0 : encodeProperties(properties).length;
  return fixedEnvelopeBytes + topic.length + Math.ceil(payload.byteLength / 3) * 4 + propertyBytes;
}

function encodeProperties(properties: MessageProperties): string {
  const {
    contentType,
    responseTopic,
    correlationData,
    userProperties,
    messageExpirySeconds,
    payloadFormat,
  } = properties;
  let json = '';
  if (contentType !== undefined) json += `,"contenttype":${JSON.stringify(contentType)}`;
  if (responseTopic !== undefined) json += `,"responsetopic":${JSON.stringify(responseTopic)}`;
  if (correlationData !== undefined)
    json += `,"correlationdata":"${asBuffer(correlationData).toString('base64')}"`;
  // CloudEvents attributes are scalars, and MQTT's pairs are ordered and may repeat: JSON text in a string.
  if (userProperties !== undefined)
    json += `,"userproperties":${JSON.stringify(JSON.stringify(userProperties))}`;
  if (messageExpirySeconds !== undefined) json += `,"messageexpiry":${messageExpirySeconds}`;
  if (payloadFormat !== undefined) json += `,"payloadformat":${payloadFormat}`;
  return json;
}

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

/** One envelope as ingest accepts it. Attributes that it does not know are ignored, as CloudEvents asks. */
export const envelopeSchema = z
  .object({
    specversion: z.literal('1.0'),
    type: z.literal(messageEventType),
    id: text
      .min(1)
      .refine(
        (id) => Buffer.byteLength(id) <= maxIdBytes,
        `must be at most ${maxIdBytes} bytes in UTF-8`,
      ),
    source: text.min(1).max(2048),
    subject: z.string().superRefine((topic, context) => {
      const fault = topicFault(topic);
      if (fault !== undefined) context.addIssue(fault);
    }),
    // Fixed width, so that the sort key built from it sorts by time.
    time: z
      .string()
      .regex(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
        'must be RFC 3339 in UTC with microseconds',
      )
      .refine((time) => !Number.isNaN(Date.parse(time)), 'must be a date and time that there is'),
    qos: z.union([z.literal(0), z.literal(1), z.literal(2)]),
    retain: z.boolean(),
    packetid: z.int().min(1).max(65_535).optional(),
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
    source: envelope.source,
    topic: envelope.subject,
    time: envelope.time,
    payload:
      envelope.data_base64 === undefined
        ? Buffer.from(envelope.data ?? '', 'utf8')
        : Buffer.from(envelope.data_base64, 'base64'),
    qos: envelope.qos,
    retain: envelope.retain,
    ...(envelope.packetid !== undefined && { packetId: envelope.packetid }),
    ...(envelope.possibleduplicate !== undefined && {
      possibleDuplicate: envelope.possibleduplicate,
    }),
    ...(properties !== undefined && { properties }),
  };
}

/**
 * The message in an envelope that {@link encodeEnvelope} wrote and we kept. Its form is ours, so it is not checked:
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

/** A view of the same bytes as a Buffer, for its codecs; copies nothing. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
