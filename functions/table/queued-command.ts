// The queue of commands to the bridge, as items of the table. The api puts them there, and the bridge takes them in order.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { MessageProperties, QoS } from '../contract/message.ts';
import { chunkItems, chunkKeys, joinChunks } from './chunks.ts';
import { digestIn, uuidIn } from './command-id.ts';
import { type Item, textAt } from './item.ts';
import { propertiesItem, propertiesOf } from './item-properties.ts';

/** Largest payload that stands in the queue's item itself; beyond it, in chunks. */
const maxInlinePayloadBytes = 64 * 1024;

/** Partitions of the queue, so that one does not bound all commands. A topic is always in the same one. */
export const queueShards = 8;

/** The partition of a queue shard, 0 to {@link queueShards} − 1. */
export function queuePartition(shard: number): string {
  return `queue/${shard}`;
}

/** The shard of the queue that has the commands of this one's topic. */
export function queueShardOf(id: string): number {
  return Number.parseInt(digestIn(id).slice(0, 2), 16) % queueShards;
}

/** Key of a command in the queue: sorted by topic, and within it by time. */
export function queueKey(id: string): { pk: AttributeValue; sk: AttributeValue } {
  return {
    pk: { S: queuePartition(queueShardOf(id)) },
    sk: { S: `${digestIn(id)}#${uuidIn(id)}` },
  };
}

/** A command as the bridge publishes it: checked, its placeholders filled in. */
export interface QueuedCommand {
  readonly id: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Content type, response topic, correlation data and user properties. */
  readonly properties: MessageProperties;
  /** Time after which it is not sent any more: RFC 3339. */
  readonly deadline: string;
  /** The broker shall forget it at the deadline too (MQTT 5 message expiry). */
  readonly expiresAtBroker: boolean;
  /** From recording to the deadline: no clock that is wrong may make more of it. Absent in older items. */
  readonly expirySeconds?: number;
  /** A reply on the response topic, with the correlation data, answers it. */
  readonly awaitsReply: boolean;
  /** Digest of who sent it; absent in older items. */
  readonly caller?: string;
}

function chunksPartition(id: string): string {
  return `command-payload/${id}`;
}

/** The items that put a command into the queue, the head last: what it refers to has to be there first. */
export function queueItems(command: QueuedCommand, expiresAtSeconds: number): Item[] {
  const { id, payload } = command;
  const chunks =
    payload.byteLength <= maxInlinePayloadBytes
      ? []
      : chunkItems(chunksPartition(id), payload, expiresAtSeconds);
  const head: Item = {
    ...queueKey(id),
    topic: { S: command.topic },
    qos: { N: String(command.qos) },
    retain: { BOOL: command.retain },
    properties: { M: propertiesItem(command.properties) },
    deadline: { S: command.deadline },
    expiresAtBroker: { BOOL: command.expiresAtBroker },
    ...(command.expirySeconds !== undefined && {
      expirySeconds: { N: String(command.expirySeconds) },
    }),
    ...(command.caller !== undefined && { caller: { S: command.caller } }),
    awaitsReply: { BOOL: command.awaitsReply },
    expiresAt: { N: String(expiresAtSeconds) },
    ...(chunks.length === 0
      ? { payload: { B: payload } }
      : { chunks: { N: String(chunks.length) } }),
  };
  return [...chunks, head];
}

/** Keys of the chunks that a queue item refers to; none where it holds the payload itself. */
export function queueChunkKeys(head: Item): Item[] {
  const count = Number(head['chunks']?.N ?? 0);
  return chunkKeys(chunksPartition(queuedIdOf(head)), count);
}

/** The command that a queue item holds; `chunks` are the items of its chunks where it has any. */
export function queuedCommandOf(head: Item, chunks: readonly Item[]): QueuedCommand {
  const id = queuedIdOf(head);
  const expirySeconds = head['expirySeconds']?.N;
  const caller = head['caller']?.S;
  return {
    id,
    topic: textAt(head, 'topic'),
    payload: head['payload']?.B ?? joinChunks(chunks),
    qos: Number(head['qos']?.N) as QoS,
    retain: head['retain']?.BOOL ?? false,
    properties: propertiesOf(head['properties']?.M ?? {}),
    deadline: textAt(head, 'deadline'),
    expiresAtBroker: head['expiresAtBroker']?.BOOL ?? false,
    awaitsReply: head['awaitsReply']?.BOOL ?? false,
    ...(expirySeconds !== undefined && { expirySeconds: Number(expirySeconds) }),
    ...(caller !== undefined && { caller }),
  };
}

/** The id of the command that a queue item holds. */
export function queuedIdOf(head: Item): string {
  return queuedIdAt(textAt(head, 'sk'));
}

/** The same by the sort key of the item. */
export function queuedIdAt(sortKey: string): string {
  const [digest, uuid] = sortKey.split('#');
  return `${uuid}-${digest}`;
}
