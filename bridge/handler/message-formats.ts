// One message as the headers and the body of a request, in each of the formats that carry one. Pure.
import { encodeSingle } from '../../functions/contract/envelope.ts';
import { type EventVersion, messageEventTypes } from '../../functions/contract/event-version.ts';
import { asBuffer } from '../../functions/contract/json-pieces.ts';
import type { Message, MessageProperties } from '../../functions/contract/message.ts';
import { traceContextIn } from '../../functions/contract/trace-context.ts';
import { contentTypeOf } from './content-type.ts';
import { attributeHeaders, type Headers } from './header-text.ts';

export type EncodedMessage =
  | { readonly kind: 'encoded'; readonly headers: Headers; readonly body: Buffer }
  | { readonly kind: 'too large'; readonly reason: string };

/** Of at most `maxBytes`; what would have more is not built. */
type Encode = (message: Message, maxBytes: number, version: EventVersion) => EncodedMessage;

/** CloudEvents' HTTP binding 1.0.2, 3.2: attributes and data in one JSON object, as in a batch. */
function structured(message: Message, maxBytes: number, version: EventVersion): EncodedMessage {
  const encoded = encodeSingle(message, maxBytes, version);
  if (encoded.kind === 'too large')
    return { kind: 'too large', reason: tooLarge(encoded.bytes, maxBytes) };
  const headers = { 'content-type': 'application/cloudevents+json' };
  return { kind: 'encoded', headers, body: encoded.body };
}

/** CloudEvents' HTTP binding 1.0.2, 3.1: attributes as headers, with the names of the envelope, beside the payload. */
function binary(message: Message, maxBytes: number, version: EventVersion): EncodedMessage {
  const { id, source, topic, time, qos, retain, packetId, possibleDuplicate, replayId } = message;
  const { producerId, receivedAfter } = message;
  const properties: MessageProperties = message.properties ?? {};
  const trace = traceContextIn(message);
  const attributes = attributeHeaders(
    'ce-',
    [
      ['ce-specversion', '1.0'],
      ['ce-type', messageEventTypes[version]],
      ['ce-id', id],
      ['ce-source', source],
      ['ce-subject', topic],
      ['ce-time', time],
      ['ce-qos', String(qos)],
      ['ce-retain', String(retain)],
    ],
    [
      ['ce-producerid', producerId],
      ['ce-receivedafter', receivedAfter],
      ['ce-packetid', packetId?.toString()],
      ['ce-replayid', replayId],
      ['ce-possibleduplicate', possibleDuplicate?.toString()],
      ['ce-messageexpiry', properties.messageExpirySeconds?.toString()],
      ['ce-payloadformat', properties.payloadFormat?.toString()],
      ['ce-contenttype', properties.contentType],
      ['ce-responsetopic', properties.responseTopic],
      ['ce-correlationdata', base64Of(properties.correlationData)],
      ['ce-traceparent', trace?.traceparent],
      ['ce-tracestate', trace?.tracestate],
      ['ce-userproperties', properties.userProperties && JSON.stringify(properties.userProperties)],
    ],
  );
  return withPayload(message, attributes, maxBytes);
}

/** The payload as it came; what else MQTT says of it in headers that need no knowledge of CloudEvents. */
function raw(message: Message, maxBytes: number): EncodedMessage {
  const { id, topic, time, qos, retain, possibleDuplicate, replayId } = message;
  const { producerId, receivedAfter } = message;
  const properties: MessageProperties = message.properties ?? {};
  const attributes = attributeHeaders(
    'mqtt-',
    [
      ['mqtt-topic', topic],
      ['mqtt-qos', String(qos)],
      ['mqtt-retain', String(retain)],
      ['mqtt-message-id', id],
      ['mqtt-time', time],
    ],
    [
      ['mqtt-producer-id', producerId],
      ['mqtt-received-after', receivedAfter],
      ['mqtt-replay-id', replayId],
      ['mqtt-possible-duplicate', possibleDuplicate?.toString()],
      ['mqtt-message-expiry', properties.messageExpirySeconds?.toString()],
      ['mqtt-payload-format', properties.payloadFormat?.toString()],
      ['mqtt-content-type', properties.contentType],
      ['mqtt-response-topic', properties.responseTopic],
      ['mqtt-correlation-data', base64Of(properties.correlationData)],
      ['mqtt-user-properties', properties.userProperties && formOf(properties.userProperties)],
    ],
  );
  return withPayload(message, attributes, maxBytes);
}

export const messageFormats = {
  cloudevents: structured,
  'cloudevents-binary': binary,
  raw,
} satisfies Record<string, Encode>;

/** Why a request cannot carry a message, or several. */
export function tooLarge(bytes: number, maxBytes: number): string {
  return `it takes ${bytes} bytes, and a request ${maxBytes}`;
}

function withPayload(
  message: Message,
  attributes: ReturnType<typeof attributeHeaders>,
  maxBytes: number,
): EncodedMessage {
  const { byteLength } = message.payload;
  if (byteLength > maxBytes) return { kind: 'too large', reason: tooLarge(byteLength, maxBytes) };
  if (attributes.kind === 'too large') return attributes;
  return {
    kind: 'encoded',
    headers: { 'content-type': contentTypeOf(message), ...attributes.headers },
    body: asBuffer(message.payload),
  };
}

function base64Of(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : asBuffer(bytes).toString('base64');
}

/** `name=value&…` as a form writes it: every language reads it, and it keeps order and repeated names. */
function formOf(pairs: NonNullable<MessageProperties['userProperties']>): string {
  return new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, value]),
  ).toString();
}
