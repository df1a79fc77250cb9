// The messages table: its keys, and a message as a DynamoDB item. Ingest writes these, the api reads them.

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { asBuffer } from '../contract/json-pieces.ts';
import type { Message, QoS } from '../contract/message.ts';
import { propertiesItem, propertiesOf } from './item-properties.ts';

export type Item = Record<string, AttributeValue>;

/** What a table of the messages kind is created from, by the CDK stack and by the local stack alike. */
export const messagesTable = {
  partitionKey: 'pk',
  sortKey: 'sk',
  timeToLive: 'expiresAt',
} as const;

/** Longest topic, in bytes, used as a key as it is. Sort keys may have 1,024, and the registry sorts by topic. */
export const maxKeyTopicBytes = 1000;

/** A topic as part of a key: itself, or `#` and its hash where it is too long. */
export function topicKey(topic: string): string {
  return topicKeyWithin(maxKeyTopicBytes, topic);
}

/**
 * A topic as a part of at most `maxBytes` of a key: itself, or `#` and its hash where it takes more. No topic name
 * contains `#` [MQTT-3.3.2-2], so the two forms cannot meet.
 */
export function topicKeyWithin(maxBytes: number, topic: string): string {
  if (Buffer.byteLength(topic) <= maxBytes) return topic;
  return `#${createHash('sha256').update(topic).digest('base64url')}`;
}

/** Maximum shards that a topic's messages can be spread over. */
export const maxShards = 32;

/** Partition of a topic's messages, or of one shard of them. No topic contains `#`, so the name tells them apart. */
export function messagePartition(topic: string, shard = 0): string {
  return shard === 0 ? `m/${topicKey(topic)}` : `m/${topicKey(topic)}#${shard}`;
}

/** The number of shards in a setting. Throws a RangeError where it is not a whole number from 1 to 32. */
export function checkedShards(shards: number): number {
  if (!Number.isInteger(shards) || shards < 1 || shards > maxShards)
    throw new RangeError(`writeShards must be a whole number from 1 to ${maxShards}`);
  return shards;
}

/** The shard, 0 to `shards` − 1, of a message: decided by its id alone, so that every copy lands in the same. */
export function shardOf(id: string, shards: number): number {
  if (shards === 1) return 0;
  return createHash('sha256').update(id).digest().readUInt32BE(0) % shards;
}

/** Sort key of a message: by time of receipt, and the same for every copy of one message. */
export function messageSortKey(message: Pick<Message, 'time' | 'id'>): string {
  return `${message.time}#${message.id}`;
}

/** The time of receipt in a message's sort key. */
export function messageTimeOf(sortKey: string): string {
  return sortKey.slice(0, timeLength);
}

/**
 * Partition of the chunks of a message whose payload is too large for its item: at most 1,287 of the 2,048 bytes
 * of a partition key, and never one that starts with `m/`. Topic keys hold no further `#` and times have a fixed
 * length, so no two messages share one.
 */
export function messageChunksPartition(message: Pick<Message, 'topic' | 'time' | 'id'>): string {
  return `c/${topicKey(message.topic)}#${messageSortKey(message)}`;
}

const timeLength = '2026-01-01T00:00:00.000000Z'.length;

/** Where and how long a message is stored. */
export interface Placement {
  /** Time at which it expires, in seconds since 1970. */
  readonly expiresAtSeconds: number;
  /** The shard of its topic, as {@link shardOf} says. Default 0. */
  readonly shard?: number;
  /** Whether its payload has a key of its own, however small it is: for topics that write more than a key takes. */
  readonly isApart?: boolean;
}

/** The item that stores a message. A payload that is text is stored as text, so that the console shows it. */
export function messageItem(message: Message, placement: Placement): Item {
  const { payload } = message;
  const item = itemWithoutPayload(message, placement);
  item['payload'] = isUtf8(payload) ? { S: asBuffer(payload).toString('utf8') } : { B: payload };
  return item;
}

/** The item of a message whose payload is stored in chunks: how many, of how many bytes, and their digest. */
export function chunkedMessageItem(message: Message, chunks: number, placement: Placement): Item {
  return {
    ...itemWithoutPayload(message, placement),
    payloadChunks: { N: String(chunks) },
    payloadBytes: { N: String(message.payload.byteLength) },
    payloadSha256: { B: payloadDigest(message.payload) },
  };
}

function itemWithoutPayload(message: Message, { expiresAtSeconds, shard }: Placement): Item {
  const { properties, topic } = message;
  return {
    pk: { S: messagePartition(topic, shard) },
    sk: { S: messageSortKey(message) },
    ...(Buffer.byteLength(topic) > maxKeyTopicBytes && { topic: { S: topic } }),
    ...(message.producerId !== undefined && { producerId: { S: message.producerId } }),
    source: { S: message.source },
    qos: { N: String(message.qos) },
    ...(message.retain && { retain: { BOOL: true } }),
    ...(message.receivedAfter !== undefined && { receivedAfter: { S: message.receivedAfter } }),
    ...(message.packetId !== undefined && { packetId: { N: String(message.packetId) } }),
    ...(properties !== undefined && { properties: { M: propertiesItem(properties) } }),
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** What the item of a message says of a payload that is stored in chunks. */
export interface ChunkedPayload {
  readonly chunks: number;
  readonly bytes: number;
  readonly sha256: Uint8Array;
}

/** As {@link ChunkedPayload}, or undefined where the item holds the payload itself. */
export function chunkedPayloadOf(item: Item): ChunkedPayload | undefined {
  const chunks = item['payloadChunks']?.N;
  if (chunks === undefined) return undefined;
  return {
    chunks: Number(chunks),
    bytes: Number(item['payloadBytes']?.N),
    sha256: item['payloadSha256']?.B ?? new Uint8Array(),
  };
}

export function payloadDigest(payload: Uint8Array): Uint8Array {
  return createHash('sha256').update(payload).digest();
}

/**
 * The message that an item stores, its payload empty where that is in chunks. Throws where the item is none: that
 * is a bug or a foreign write.
 */
export function messageOf(item: Item): Message {
  const pk = textAt(item, 'pk');
  const sk = textAt(item, 'sk');
  const payload = item['payload'];
  const properties = item['properties']?.M;
  const packetId = item['packetId']?.N;
  const producerId = item['producerId']?.S;
  const receivedAfter = item['receivedAfter']?.S;
  return {
    id: sk.slice(timeLength + 1),
    ...(producerId !== undefined && { producerId }),
    time: sk.slice(0, timeLength),
    topic: item['topic']?.S ?? topicOf(pk),
    source: textAt(item, 'source'),
    payload: payload?.B ?? Buffer.from(payload?.S ?? '', 'utf8'),
    qos: Number(item['qos']?.N ?? 0) as QoS,
    retain: item['retain']?.BOOL ?? false,
    ...(receivedAfter !== undefined && { receivedAfter }),
    ...(packetId !== undefined && { packetId: Number(packetId) }),
    ...(properties !== undefined && { properties: propertiesOf(properties) }),
  };
}

/** The topic in the name of a message partition, which ends before the number of a shard. */
function topicOf(partition: string): string {
  const end = partition.indexOf('#');
  return partition.slice('m/'.length, end === -1 ? undefined : end);
}

/** A string attribute. Throws where there is none: the item is another one than was asked for. */
export function textAt(item: Item, name: string): string {
  const text = item[name]?.S;
  if (text === undefined) throw new Error(`the item has no string attribute ${name}`);
  return text;
}
