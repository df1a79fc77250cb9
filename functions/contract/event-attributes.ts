// The attributes of a message's CloudEvent as JSON: all but its data.
import { type EventVersion, messageEventTypes } from './event-version.ts';
import { asBuffer } from './json-pieces.ts';
import { JsonWriter } from './json-writer.ts';
import type { Message, MessageProperties } from './message.ts';
import { traceContextIn } from './trace-context.ts';

/** One for all: each text is written in one go, and copied from it. */
const writer = new JsonWriter();

/** The event as JSON text, up to its data: without that and without the closing brace. */
export function encodeAttributes(message: Message, version: EventVersion = 1): string {
  writer.clear();
  writeAttributes(writer, message, version);
  return writer.toString();
}

/** The same as bytes; user properties come pair by pair, as there may be megabytes of them. */
export function* attributePieces(message: Message, version: EventVersion): Generator<Buffer> {
  writer.clear();
  writeFixed(writer, message, version);
  yield writer.bytes();
  if (message.properties !== undefined)
    for (const piece of propertyPieces(message.properties)) yield Buffer.from(piece);
  if (version === 2) yield Buffer.from(traceJson(message));
}

export function writeAttributes(writer: JsonWriter, message: Message, version: EventVersion): void {
  writeFixed(writer, message, version);
  if (message.properties === undefined) return;
  for (const piece of propertyPieces(message.properties)) writer.text(piece);
  if (version === 2) writer.text(traceJson(message));
}

/** CloudEvents' extension for distributed tracing. */
function traceJson(message: Message): string {
  const trace = traceContextIn(message);
  if (trace === undefined) return '';
  const { traceparent, tracestate } = trace;
  const state = tracestate === undefined ? '' : `,"tracestate":${JSON.stringify(tracestate)}`;
  return `,"traceparent":"${traceparent}"${state}`;
}

const fixedStarts = {
  1: Buffer.from(`{"specversion":"1.0","type":"${messageEventTypes[1]}","id":`),
  2: Buffer.from(`{"specversion":"1.0","type":"${messageEventTypes[2]}","id":`),
} as const satisfies Record<EventVersion, Buffer>;

/** The attributes that a message of any protocol version has. Byte by byte: this runs once a message on the hot path. */
function writeFixed(writer: JsonWriter, message: Message, version: EventVersion): void {
  const { producerId, receivedAfter, packetId, replayId } = message;
  writer.raw(fixedStarts[version]);
  writer.string(message.id);
  writer.raw(sourceJson(message.source));
  writer.string(message.topic);
  writer.raw(timeStart);
  writer.text(message.time);
  writer.raw(flagTexts[(message.retain ? 3 : 0) + message.qos] as Buffer);
  if (producerId !== undefined) writer.text(`,"producerid":${JSON.stringify(producerId)}`);
  if (receivedAfter !== undefined) writer.text(`,"receivedafter":"${receivedAfter}"`);
  if (packetId !== undefined) {
    writer.raw(packetIdStart);
    writer.integer(packetId);
  }
  if (replayId !== undefined) writer.text(`,"replayid":${JSON.stringify(replayId)}`);
  if (message.possibleDuplicate) writer.text(',"possibleduplicate":true');
}

const timeStart = Buffer.from(',"time":"');
const flagTexts = [false, true].flatMap((retain) =>
  [0, 1, 2].map((qos) => Buffer.from(`","qos":${qos},"retain":${retain}`)),
);
const packetIdStart = Buffer.from(',"packetid":');

let lastSource: string | undefined;
let lastSourceJson = Buffer.alloc(0);

/** From `source` to `subject`. A session has one source, and a bridge few: the last one is nearly always the next one. */
function sourceJson(source: string): Buffer {
  if (source !== lastSource) {
    lastSource = source;
    lastSourceJson = Buffer.from(`,"source":${JSON.stringify(source)},"subject":`);
  }
  return lastSourceJson;
}

/** Properties as JSON, each with a comma before it; user properties pair by pair, as there may be megabytes of them. */
function* propertyPieces(properties: MessageProperties): Generator<string> {
  const {
    contentType,
    responseTopic,
    correlationData,
    userProperties,
    messageExpirySeconds,
    payloadFormat,
  } = properties;
  if (contentType !== undefined) yield `,"contenttype":${JSON.stringify(contentType)}`;
  if (responseTopic !== undefined) yield `,"responsetopic":${JSON.stringify(responseTopic)}`;
  if (correlationData !== undefined)
    yield `,"correlationdata":"${asBuffer(correlationData).toString('base64')}"`;
  if (userProperties !== undefined) {
    // CloudEvents attributes are scalars, and MQTT's pairs are ordered and may repeat: JSON text in a string.
    yield ',"userproperties":"[';
    let separator = '';
    for (const pair of userProperties) {
      yield separator + JSON.stringify(JSON.stringify(pair)).slice(1, -1);
      separator = ',';
    }
    yield ']"';
  }
  if (messageExpirySeconds !== undefined) yield `,"messageexpiry":${messageExpirySeconds}`;
  if (payloadFormat !== undefined) yield `,"payloadformat":${payloadFormat}`;
}
