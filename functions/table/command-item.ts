// The ledger of commands, as items of the table. The api records commands here, and the bridge writes down what became of
// them.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  type CommandStatus,
  commandStatuses,
  type Outcome,
  type Reply,
} from '../contract/command.ts';
import type { QoS } from '../contract/message.ts';
import { digestIn, topicDigest } from './command-id.ts';
import { type Item, textAt } from './item.ts';
import { propertiesItem, propertiesOf } from './item-properties.ts';

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
  return { pk: { S: `commands/${digestIn(id)}` }, sk: { S: id } };
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
