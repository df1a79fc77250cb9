// The envelope: a message as a CloudEvents 1.0 JSON event, and a batch of them as the body of one POST. `envelope-decoding.ts`
// reads them.
import { isUtf8 } from 'node:buffer';
import { attributePieces, writeAttributes } from './event-attributes.ts';
import { type EventVersion, isJsonData } from './event-version.ts';
import {
  asBuffer,
  base64Bytes,
  base64Pieces,
  base64PiecesOf,
  pieceBytes,
  textBytes,
  textPieces,
} from './json-pieces.ts';
import { JsonWriter } from './json-writer.ts';
import type { Message, MessageProperties } from './message.ts';

export const envelopeBatchType = 'application/cloudevents-batch+json';

/**
 * One message as CloudEvents JSON text.
 *
 * A UTF-8 payload travels as a string, which keeps it byte for byte; parsing it as JSON here would not
 * (1e400, 2^53+1, doubled keys, white space). So in version 1 `datacontenttype` describes the string; in version 2 JSON is
 * spliced in as it was written, white space around it included. What the device declared is the extension attribute
 * `contenttype`. Any other payload travels as `data_base64`, and so does a large text whose escapes would make it longer
 * than that. Large ones are made in pieces: {@link planEnvelope}.
 */
export function encodeEvent(message: Message, version: EventVersion): string {
  return Buffer.concat([...planEnvelope(message, version).pieces()]).toString();
}

/** The envelope that we keep, and that our own ingest gets. */
export function encodeEnvelope(message: Message): string {
  return encodeEvent(message, 1);
}

const textStart = ',"datacontenttype":"text/plain","data":"';
const jsonStart = ',"datacontenttype":"application/json","data":';
const [textStartBytes, jsonStartBytes] = [Buffer.from(textStart), Buffer.from(jsonStart)];
/** Of text that is longer with its escapes. */
const textBytesStarts = {
  1: ',"data_base64":"',
  2: ',"datacontenttype":"text/plain","data_base64":"',
} as const satisfies Record<EventVersion, string>;
/** Without a type, base64 would be that of JSON (CloudEvents JSON format, 3.1.1). */
const bytesStarts = {
  1: ',"data_base64":"',
  2: ',"datacontenttype":"application/octet-stream","data_base64":"',
} as const satisfies Record<EventVersion, string>;

/** The text of an envelope that is not made yet. */
export interface PlannedEnvelope {
  /** How many bytes it takes. */
  readonly bytes: number;
  /** The bytes, a piece at a time: the text is never there as a whole. */
  pieces(): Iterable<Buffer>;
}

/** An envelope of any size, as the text of {@link encodeEvent}; nothing is built yet. */
export function planEnvelope(message: Message, version: EventVersion = 1): PlannedEnvelope {
  const data = planData(message, version);
  let bytes = data.bytes;
  for (const piece of attributePieces(message, version)) bytes += piece.length;
  return {
    bytes,
    *pieces() {
      yield* attributePieces(message, version);
      yield* data.pieces();
    },
  };
}

/** What follows the attributes of an envelope, to its last brace. */
function planData(message: Message, version: EventVersion): PlannedEnvelope {
  const payload = asBuffer(message.payload);
  const asBase64 = base64Bytes(payload.byteLength);
  if (version === 2 && isJsonData(message))
    return plan(jsonStart, payload.byteLength, () => [payload], '}');
  const isText = isUtf8(payload);
  // A small one stays text whatever it takes.
  const maxTextBytes = payload.byteLength > pieceBytes ? asBase64 : Number.POSITIVE_INFINITY;
  const asText = isText ? textBytes(payload, maxTextBytes) : Number.POSITIVE_INFINITY;
  if (isText && asText <= maxTextBytes)
    return plan(textStart, asText, () => textPieces(payload), '"}');
  const start = (isText ? textBytesStarts : bytesStarts)[version];
  return plan(start, asBase64, () => base64Pieces(payload), '"}');
}

function plan(
  start: string,
  bytes: number,
  pieces: () => Iterable<Buffer>,
  end: string,
): PlannedEnvelope {
  return {
    bytes: start.length + bytes + end.length,
    *pieces() {
      yield Buffer.from(start);
      yield* pieces();
      yield Buffer.from(end);
    },
  };
}

/** The pieces of an envelope whose payload comes in parts: whether it is text is known with the last of them only. */
export async function* streamedEnvelope(
  message: Message,
  payload: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  yield* attributePieces(message, 1);
  yield Buffer.from(bytesStarts[1]);
  yield* base64PiecesOf(payload);
  yield Buffer.from('"}');
}

/** Whether its envelope is made in pieces. */
function isLarge({ payload, properties }: Message): boolean {
  return (
    payload.byteLength > pieceBytes ||
    (properties !== undefined && propertiesLength(properties) > pieceBytes)
  );
}

/** One for all: each body is written in one go, and copied from it. */
const bodies = new JsonWriter();

export type Encoded =
  | { readonly kind: 'encoded'; readonly body: Buffer }
  /** Nothing was built; `bytes` is what the first messages take that are too many. */
  | { readonly kind: 'too large'; readonly bytes: number };

/** The body of a POST with one message: its envelope, of at most `maxBytes`. */
export function encodeSingle(message: Message, maxBytes: number, version: EventVersion): Encoded {
  if (isLarge(message)) {
    const { bytes, pieces } = planEnvelope(message, version);
    if (bytes > maxBytes) return { kind: 'too large', bytes };
    return { kind: 'encoded', body: Buffer.concat([...pieces()]) };
  }
  const writer = bodies;
  writer.clear();
  writeSmall(writer, message, version);
  const bytes = writer.length;
  if (bytes > maxBytes) return { kind: 'too large', bytes };
  return { kind: 'encoded', body: writer.bytes() };
}

/**
 * The body of one POST, of at most `maxBytes`: a JSON array of envelopes. Small ones are written to bytes at once and copied
 * to a buffer of the right size; no string is made of a message. Large ones are planned first, and written there.
 */
export function encodeBatch(
  messages: readonly Message[],
  maxBytes = Number.POSITIVE_INFINITY,
  version: EventVersion = 1,
): Encoded {
  /** With where they stand among what is written. */
  const large: { readonly at: number; readonly envelope: PlannedEnvelope }[] = [];
  let largeBytes = 0;
  const writer = bodies;
  writer.clear();
  writer.text('[');
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Message;
    if (index > 0) writer.text(',');
    if (isLarge(message)) {
      const at = writer.length;
      const envelope = planEnvelope(message, version);
      large.push({ at, envelope });
      largeBytes += envelope.bytes;
    } else {
      writeSmall(writer, message, version);
    }
    const bytes = writer.length + largeBytes + 1;
    if (bytes > maxBytes) return { kind: 'too large', bytes };
  }
  writer.text(']');
  const body = Buffer.allocUnsafeSlow(writer.length + largeBytes);
  let offset = 0;
  let from = 0;
  for (const { at, envelope } of large) {
    offset += writer.copy(body, offset, from, at);
    for (const piece of envelope.pieces()) offset += piece.copy(body, offset);
    from = at;
  }
  writer.copy(body, offset, from, writer.length);
  return { kind: 'encoded', body };
}

/** As {@link planEnvelope} has it. */
function writeSmall(writer: JsonWriter, message: Message, version: EventVersion): void {
  const { payload } = message;
  writeAttributes(writer, message, version);
  if (version === 2 && isJsonData(message)) {
    writer.raw(jsonStartBytes);
    writer.raw(payload);
    writer.text('}');
  } else if (isUtf8(payload)) {
    writer.raw(textStartBytes);
    writer.escaped(payload);
    writer.text('"}');
  } else {
    writer.text(bytesStarts[version]);
    writer.text(asBuffer(payload).toString('base64'));
    writer.text('"}');
  }
}

/** Attributes of an envelope that are there for every message, with the punctuation around them. */
const fixedEnvelopeBytes = 350;

/**
 * About how many bytes the envelope takes: base64 adds a third, and text with its quotes escaped seldom more.
 * Near enough to fill requests with; what a batch really takes is known when it is encoded.
 */
export function estimateEnvelopeBytes({ payload, topic, properties }: Message): number {
  const propertyBytes = properties === undefined ? 0 : propertiesLength(properties);
  return fixedEnvelopeBytes + topic.length + base64Bytes(payload.byteLength) + propertyBytes;
}

/** About how long properties are as JSON, without making it. */
function propertiesLength({
  contentType = '',
  responseTopic = '',
  correlationData,
  userProperties = [],
}: MessageProperties): number {
  let length = 100 + contentType.length + responseTopic.length;
  if (correlationData !== undefined) length += base64Bytes(correlationData.byteLength);
  for (const [name, value] of userProperties) length += name.length + value.length + 12;
  return length;
}
