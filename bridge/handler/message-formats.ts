// One message as the headers and the body of a request, in each of the formats that carry one. Pure.
import { asBuffer, encodeEnvelope, messageEventType } from '../../functions/contract/envelope.ts';
import type { Message, MessageProperties } from '../../functions/contract/message.ts';
import { contentTypeOf } from './content-type.ts';
import { attributeHeaders, type Headers } from './header-text.ts';

export type EncodedMessage =
  | { readonly kind: 'encoded'; readonly headers: Headers; readonly body: Buffer }
  | { readonly kind: 'too large'; readonly reason: string };

type Encode = (message: Message) => EncodedMessage;

/** CloudEvents' HTTP binding 1.0.2, 3.2: attributes and data in one JSON object, as in a batch. */
function structured(message: Message): EncodedMessage {
  return {
    kind: 'encoded',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: Buffer.from(encodeEnvelope(message)),
  };
}

/** CloudEvents' HTTP binding 1.0.2, 3.1: attributes as headers, with the names of the envelope, beside the payload. */
function binary(message: Message): EncodedMessage {
  const { id, source, topic, time, qos, retain, packetId, possibleDuplicate, replayId } = message;
  const properties: MessageProperties = message.properties ?? {};
  const attributes = attributeHeaders(
    'ce-',
    [
      ['specversion', '1.0'],
      ['type', messageEventType],
      ['id', id],
      ['source', source],
      ['subject', topic],
      ['time', time],
      ['qos', String(qos)],
      ['retain', String(retain)],
    ],
    [
      ['packetid', packetId?.toString()],
      ['replayid', replayId],
      ['possibleduplicate', possibleDuplicate?.toString()],
      ['messageexpiry', properties.messageExpirySeconds?.toString()],
      ['payloadformat', properties.payloadFormat?.toString()],
      ['contenttype', properties.contentType],
      ['responsetopic', properties.responseTopic],
      ['correlationdata', base64Of(properties.correlationData)],
      ['userproperties', properties.userProperties && JSON.stringify(properties.userProperties)],
    ],
  );
  return withPayload(message, attributes);
}

/** The payload as it came; what else MQTT says of it in headers that need no knowledge of CloudEvents. */
function raw(message: Message): EncodedMessage {
  const { id, topic, time, qos, retain, possibleDuplicate, replayId } = message;
  const properties: MessageProperties = message.properties ?? {};
  const attributes = attributeHeaders(
    'mqtt-',
    [
      ['topic', topic],
      ['qos', String(qos)],
      ['retain', String(retain)],
      ['message-id', id],
      ['time', time],
    ],
    [
      ['replay-id', replayId],
      ['possible-duplicate', possibleDuplicate?.toString()],
      ['message-expiry', properties.messageExpirySeconds?.toString()],
      ['payload-format', properties.payloadFormat?.toString()],
      ['content-type', properties.contentType],
      ['response-topic', properties.responseTopic],
      ['correlation-data', base64Of(properties.correlationData)],
      ['user-properties', properties.userProperties && formOf(properties.userProperties)],
    ],
  );
  return withPayload(message, attributes);
}

export const messageFormats = {
  cloudevents: structured,
  'cloudevents-binary': binary,
  raw,
} satisfies Record<string, Encode>;

function withPayload(
  message: Message,
  attributes: ReturnType<typeof attributeHeaders>,
): EncodedMessage {
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
