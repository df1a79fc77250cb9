// Which messages can stand in a segment. All others are stored as items of their own.
import { type Message, type MessageProperties, maxIdBytes } from '../contract/message.ts';
import { maxKeyTopicBytes } from '../table/item.ts';
import { receiptTimeOf } from './receipt-time.ts';

/** Bytes of the largest message that is packed, with all that it has. */
export const maxPackableBytes = 32 * 1024;

/** A character takes three bytes at most. */
const bytesOfCharacter = 3;

/** Whether a message comes back from a segment as it was, and is no larger than what is read for its neighbours' sake. */
export function isPackable(message: Message): boolean {
  const { id, producerId = '', source, topic, time, receivedAfter, properties } = message;
  return (
    unpackedBytes(message) <= maxPackableBytes &&
    Buffer.byteLength(topic) <= maxKeyTopicBytes &&
    Buffer.byteLength(id) <= maxIdBytes &&
    receiptTimeOf(time) !== undefined &&
    // While a clock that was set back catches up, the registry has to know of each message at once.
    receivedAfter === undefined &&
    [id, producerId, source, topic].every((text) => text.isWellFormed()) &&
    (properties === undefined || [...textsOf(properties)].every((text) => text.isWellFormed()))
  );
}

/** Bytes that a message takes before it is deflated: seldom fewer, never more. */
export function unpackedBytes({
  id,
  producerId = '',
  source,
  topic,
  payload,
  properties,
}: Message): number {
  const characters = id.length + producerId.length + source.length + topic.length;
  const fixed = 64 + bytesOfCharacter * characters + payload.byteLength;
  return properties === undefined ? fixed : fixed + propertiesBytes(properties);
}

function propertiesBytes(properties: MessageProperties): number {
  const { correlationData, userProperties = [] } = properties;
  // JSON: six bytes for a character that it escapes, four for each three in base64, and names with their punctuation.
  let bytes = 200 + 2 * (correlationData?.byteLength ?? 0) + 8 * userProperties.length;
  for (const text of textsOf(properties)) bytes += 6 * text.length;
  return bytes;
}

function* textsOf({ contentType, responseTopic, userProperties }: MessageProperties) {
  if (contentType !== undefined) yield contentType;
  if (responseTopic !== undefined) yield responseTopic;
  for (const pair of userProperties ?? []) yield* pair;
}
