// The ledger of commands and the queue to the bridge, as items of the table. The api records commands here, the
// bridge takes them from the queue in order and writes down what became of them.
import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  type CommandStatus,
  commandIdLength,
  commandStatuses,
  type Outcome,
  type Reply,
} from '../contract/command.ts';
import type { MessageProperties, QoS } from '../contract/message.ts';
import { chunkItems, chunkKeys, joinChunks } from './chunks.ts';
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

const digestLength = 16;

function topicDigest(topic: string): string {
  return createHash('sha256').update(topic).digest('hex').slice(0, digestLength);
}

/**
 * The id of a command: a time-ordered UUID, and a digest of its topic. So the id alone leads to the item, which
 * stands among those of its topic in the order in which they were recorded, and no index has to be kept.
 */
export function commandId(uuid: string, topic: string): string {
  return `${uuid}-${topicDigest(topic)}`;
}

/** Whether a text has the form of a command's id. */
export function isCommandId(text: string): boolean {
  return text.length === commandIdLength && /^[0-9a-f-]{36}-[0-9a-f]{16}$/.test(text);
}

/** Whether a level of a topic is a command's id: such a topic has one command or its reply, and is gone with it. */
export function hasCommandId(topic: string): boolean {
  return topic.length >= commandIdLength && topic.split('/').some(isCommandId);
}

/** A caller as commands name it: long enough that no two meet by chance, and no secret of theirs. */
export function callerDigest(principalId: string): string {
  return createHash('sha256').update(principalId).digest('hex').slice(0, digestLength);
}

/** Partition of the ledger that has the commands of a topic. */
export function commandsPartition(topic: string): string {
  return `commands/${topicDigest(topic)}`;
}

/** What has become of commands that can be listed without their topic: what an operator looks for, and is rare. */
export const listedStatuses = ['failed', 'expired'] as const;

export type ListedStatus = (typeof listedStatuses)[number];

/** What commands of all topics can be listed by: those that wait to be sent are in the queue. */
export const statusesOfAllTopics = ['pending', ...listedStatuses] as const;

export type StatusOfAllTopics = (typeof statusesOfAllTopics)[number];

/** Partition of the commands that have come to this; each has an item there with its id as sort key. */
export function listedPartition(status: ListedStatus): string {
  return `command-status/${status}`;
}

/** The item that lists a command under what became of it; its reader checks it against the ledger. */
export function listedItem(id: string, status: ListedStatus, expiresAtSeconds: number): Item {
  return {
    pk: { S: listedPartition(status) },
    sk: { S: id },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** Key of a command in the ledger. */
export function commandKey(id: string): { pk: AttributeValue; sk: AttributeValue } {
  return { pk: { S: `commands/${id.slice(-digestLength)}` }, sk: { S: id } };
}

/** The shard of the queue that has the commands of this one's topic. */
export function queueShardOf(id: string): number {
  return Number.parseInt(id.slice(-digestLength, -digestLength + 2), 16) % queueShards;
}

/** Key of a command in the queue: sorted by topic, and within it by time. */
export function queueKey(id: string): { pk: AttributeValue; sk: AttributeValue } {
  const uuid = id.slice(0, -digestLength - 1);
  return {
    pk: { S: queuePartition(queueShardOf(id)) },
    sk: { S: `${id.slice(-digestLength)}#${uuid}` },
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

/** A command in the ledger. */
export interface LedgerEntry {
  readonly id: string;
  /** As the caller gave it, placeholders and all. */
  readonly topic: string;
  readonly status: CommandStatus;
  readonly qos: QoS;
  readonly retain: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339. */
  readonly deadline: string;
  /** False again where the reply is no longer awaited, as the same caller has asked for too many others. */
  readonly awaitsReply: boolean;
  /** Digest of who sent it; absent in older items. */
  readonly caller?: string;
  /** Topic that a reply is awaited on, and what it has to carry; so that another bridge can go on waiting. */
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly sentAt?: string;
  readonly hadSubscribers?: boolean;
  readonly reply?: Reply;
  readonly error?: NonNullable<Outcome['error']>;
  readonly history: readonly HistoryEntry[];
}

export interface HistoryEntry {
  readonly status: CommandStatus;
  /** RFC 3339. */
  readonly at: string;
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

/** A newly recorded command as its item. */
export function ledgerItem(entry: LedgerEntry, expiresAtSeconds: number): Item {
  const { caller, responseTopic, correlationData } = entry;
  return {
    ...commandKey(entry.id),
    topic: { S: entry.topic },
    status: { S: entry.status },
    qos: { N: String(entry.qos) },
    retain: { BOOL: entry.retain },
    createdAt: { S: entry.createdAt },
    deadline: { S: entry.deadline },
    awaitsReply: { BOOL: entry.awaitsReply },
    ...(caller !== undefined && { caller: { S: caller } }),
    ...(responseTopic !== undefined && { responseTopic: { S: responseTopic } }),
    ...(correlationData !== undefined && { correlationData: { B: correlationData } }),
    history: { L: entry.history.map(historyValue) },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** An entry of the history as an attribute; the bridge appends such. */
export function historyValue({ status, at }: HistoryEntry): AttributeValue {
  return { M: { status: { S: status }, at: { S: at } } };
}

/** A reply as an attribute of the ledger's item. */
export function replyValue(reply: Reply): AttributeValue {
  const { contentType, userProperties } = reply;
  return {
    M: {
      topic: { S: reply.topic },
      receivedAt: { S: reply.receivedAt },
      payload: { B: Buffer.from(reply.payloadBase64, 'base64') },
      properties: {
        M: propertiesItem({
          ...(contentType !== undefined && { contentType }),
          ...(userProperties !== undefined && { userProperties }),
        }),
      },
    },
  };
}

/** The command that a ledger item is. Throws where it is none: that is a bug or a foreign write. */
export function ledgerEntryOf(item: Item): LedgerEntry {
  const caller = item['caller']?.S;
  const responseTopic = item['responseTopic']?.S;
  const correlationData = item['correlationData']?.B;
  const sentAt = item['sentAt']?.S;
  const hadSubscribers = item['hadSubscribers']?.BOOL;
  const reply = replyIn(item);
  const error = item['error']?.M;
  return {
    id: textAt(item, 'sk'),
    topic: textAt(item, 'topic'),
    status: statusAt(item),
    qos: Number(item['qos']?.N) as QoS,
    retain: item['retain']?.BOOL ?? false,
    createdAt: textAt(item, 'createdAt'),
    deadline: textAt(item, 'deadline'),
    awaitsReply: item['awaitsReply']?.BOOL ?? false,
    ...(caller !== undefined && { caller }),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlationData }),
    ...(sentAt !== undefined && { sentAt }),
    ...(hadSubscribers !== undefined && { hadSubscribers }),
    ...(reply !== undefined && { reply }),
    ...(error !== undefined && {
      error: { code: textAt(error, 'code'), detail: textAt(error, 'detail') },
    }),
    history: (item['history']?.L ?? []).map(({ M: entry = {} }) => ({
      status: statusAt(entry),
      at: textAt(entry, 'at'),
    })),
  };
}

/** The reply in a ledger item, of which the other attributes may not have been read. */
export function replyIn({ reply }: Item): Reply | undefined {
  const item = reply?.M;
  if (item === undefined) return undefined;
  const { contentType, userProperties } = propertiesOf(item['properties']?.M ?? {});
  return {
    topic: textAt(item, 'topic'),
    receivedAt: textAt(item, 'receivedAt'),
    payloadBase64: Buffer.from(item['payload']?.B ?? []).toString('base64'),
    ...(contentType !== undefined && { contentType }),
    ...(userProperties !== undefined && {
      userProperties: userProperties.map(([name, value]): [string, string] => [name, value]),
    }),
  };
}

function statusAt(item: Item): CommandStatus {
  const text = textAt(item, 'status');
  const status = commandStatuses.find((candidate) => candidate === text);
  if (status === undefined) throw new Error(`${text} is no status of a command`);
  return status;
}
