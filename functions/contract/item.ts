// The messages table: its keys, and a message as a DynamoDB item. Ingest writes these, the api reads them.

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { asBuffer } from './envelope.ts';
import { propertiesItem, propertiesOf } from './item-properties.ts';
import type { Message, QoS } from './message.ts';

export type Item = Record<string, AttributeValue>;

/** What a table of the messages kind is created from, by the CDK stack and by the local stack alike. */
export const messagesTable = {
  partitionKey: 'pk',
  sortKey: 'sk',
  timeToLive: 'expiresAt',
} as const;

/** Partition of the registry of topics. No message key can collide with it: theirs start with `m/`. */
export const topicsPartition = 'topics';

/** Longest topic used as a key as it is. Sort keys may have 1,024 bytes, and the registry sorts by topic. */
const maxKeyTopicBytes = 1000;

/**
 * A topic as part of a key: itself, or `#` and its hash where it is too long. No topic name contains `#`
 * [MQTT-3.3.2-2], so the two forms cannot meet.
 */
export function topicKey(topic: string): string {
  if (Buffer.byteLength(topic) <= maxKeyTopicBytes) return topic;
  return `#${createHash('sha256').update(topic).digest('base64url')}`;
}

/** Partition of a topic's messages. */
export function messagePartition(topic: string): string {
  return `m/${topicKey(topic)}`;
}

/** Sort key of a message: by time of receipt, and the same for every copy of one message. */
export function messageSortKey(message: Pick<Message, 'time' | 'id'>): string {
  return `${message.time}#${message.id}`;
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

/** The item that stores a message. A payload that is text is stored as text, so that the console shows it. */
export function messageItem(message: Message, expiresAtSeconds: number): Item {
  const { payload } = message;
  const item = itemWithoutPayload(message, expiresAtSeconds);
  item['payload'] = isUtf8(payload) ? { S: asBuffer(payload).toString('utf8') } : { B: payload };
  return item;
}

/** The item of a message whose payload is stored in chunks: how many, of how many bytes, and their digest. */
export function chunkedMessageItem(
  message: Message,
  chunks: number,
  expiresAtSeconds: number,
): Item {
  return {
    ...itemWithoutPayload(message, expiresAtSeconds),
    payloadChunks: { N: String(chunks) },
    payloadBytes: { N: String(message.payload.byteLength) },
    payloadSha256: { B: payloadDigest(message.payload) },
  };
}

function itemWithoutPayload(message: Message, expiresAtSeconds: number): Item {
  const { properties } = message;
  const key = topicKey(message.topic);
  return {
    pk: { S: `m/${key}` },
    sk: { S: messageSortKey(message) },
    ...(key !== message.topic && { topic: { S: message.topic } }),
    source: { S: message.source },
    qos: { N: String(message.qos) },
    ...(message.retain && { retain: { BOOL: true } }),
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
  return {
    id: sk.slice(timeLength + 1),
    time: sk.slice(0, timeLength),
    topic: item['topic']?.S ?? pk.slice('m/'.length),
    source: textAt(item, 'source'),
    payload: payload?.B ?? Buffer.from(payload?.S ?? '', 'utf8'),
    qos: Number(item['qos']?.N ?? 0) as QoS,
    retain: item['retain']?.BOOL ?? false,
    ...(packetId !== undefined && { packetId: Number(packetId) }),
    ...(properties !== undefined && { properties: propertiesOf(properties) }),
  };
}

/** A topic of the registry. */
export interface KnownTopic {
  readonly topic: string;
  /** RFC 3339; behind the newest message by up to a minute. */
  readonly lastSeen: string;
}

export function topicItem({ topic, lastSeen }: KnownTopic, expiresAtSeconds: number): Item {
  return {
    pk: { S: topicsPartition },
    sk: { S: topicKey(topic) },
    topic: { S: topic },
    lastSeen: { S: lastSeen },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

export function knownTopicOf(item: Item): KnownTopic {
  return { topic: textAt(item, 'topic'), lastSeen: textAt(item, 'lastSeen') };
}

function textAt(item: Item, name: string): string {
  const text = item[name]?.S;
  if (text === undefined) throw new Error(`the item has no string attribute ${name}`);
  return text;
}
