// The ledger of commands and their queue in DynamoDB: what the bridge reads there, and the states that it writes.
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { CommandStatus, Outcome, Reply } from '../../functions/contract/command.ts';
import {
  type AwaitedReply,
  awaitedPartitions,
  awaitedReplyKey,
} from '../../functions/table/awaited-reply.ts';
import { getBatch } from '../../functions/table/batch-get.ts';
import {
  commandKey,
  historyValue,
  type LedgerEntry,
  type ListedStatus,
  ledgerEntryOf,
  listedItem,
  replyValue,
} from '../../functions/table/command-item.ts';
import { answerIfHeld } from '../../functions/table/conditional-write.ts';
import type { Item } from '../../functions/table/item.ts';
import {
  type QueuedCommand,
  queueChunkKeys,
  queuedCommandOf,
  queuedIdOf,
  queuePartition,
} from '../../functions/table/queued-command.ts';
import { awaitedIn } from './awaited.ts';

/** A command in the queue; its payload may not have been read yet. */
export interface QueueEntry {
  readonly id: string;
  /** RFC 3339. */
  readonly deadline: string;
  /** About how many bytes its payload has. */
  readonly bytes: number;
  /** Digest of who sent it; empty where it is not known. */
  readonly caller: string;
  readonly topic: string;
  /** Key of the reply that it awaits. */
  readonly awaited: Item | undefined;
  /** Keys of its items, the head first. */
  readonly keys: readonly Item[];
  readonly head: Item;
}

export interface QueuePage {
  readonly entries: readonly QueueEntry[];
  /** Where the next page begins; undefined at the end of the queue. */
  readonly next: Item | undefined;
}

export type CommandError = NonNullable<Outcome['error']>;

/**
 * All reads are strongly consistent, and every call rejects where the database cannot do it. States only go
 * forward: a `mark` that comes too late changes nothing, and tells the entry as it is; undefined where there is none.
 */
export interface Ledger {
  /** A page of a shard's queue, in order. */
  queued(shard: number, after?: Item): Promise<QueuePage>;
  /** The whole command; undefined where a part of its payload is missing. */
  read(entry: QueueEntry): Promise<QueuedCommand | undefined>;
  /** The replies that are awaited, the oldest commands first; of one caller and shard the newest `maxEach`. */
  awaited(maxEach: number): Promise<AwaitedReply[]>;
  /** The entries of `ids` that there are, in no order. */
  get(ids: readonly string[]): Promise<LedgerEntry[]>;
  /** `at` is RFC 3339, here and below; `hadSubscribers` undefined where the broker does not tell. */
  markSent(
    id: string,
    at: string,
    hadSubscribers: boolean | undefined,
  ): Promise<LedgerEntry | undefined>;
  markAnswered(id: string, reply: Reply): Promise<LedgerEntry | undefined>;
  markFailed(id: string, error: CommandError, at: string): Promise<LedgerEntry | undefined>;
  markExpired(id: string, at: string): Promise<LedgerEntry | undefined>;
  /** The reply is no longer awaited. */
  markNotAwaited(id: string): Promise<LedgerEntry | undefined>;
  /** Removes queue items by their keys, in this order; at most {@link maxRemovals}. */
  remove(keys: readonly Item[]): Promise<void>;
}

/** BatchWriteItem takes 25. */
export const maxRemovals = 25;

const pageEntries = 200;
/** As long as the ledger may have the command: 30 days after a deadline that is 30 days away. */
const listedSeconds = 60 * 86_400;
/** A chunk's largest size, to tell before reading them what they take. */
const chunkBytes = 350 * 1024;

/** From which states each state may be reached. A reply can overtake the PUBACK. */
const predecessors: Record<Exclude<CommandStatus, 'pending'>, readonly CommandStatus[]> = {
  sent: ['pending'],
  answered: ['pending', 'sent'],
  failed: ['pending', 'sent'],
  expired: ['pending'],
};

export function createLedger(client: DynamoDBClient, tableName: string): Ledger {
  const source = { client, tableName };

  async function getItem(key: Item): Promise<Item | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return Item;
  }

  /** Before the state: a bridge that ends in between leaves one too many in the list, and none out of it. */
  async function list(id: string, status: ListedStatus): Promise<void> {
    const expiresAtSeconds = Math.ceil(Date.now() / 1000) + listedSeconds;
    const Item = listedItem(id, status, expiresAtSeconds);
    await client.send(new PutItemCommand({ TableName: tableName, Item }));
  }

  async function mark(
    id: string,
    status: keyof typeof predecessors,
    at: string,
    attributes: Item = {},
  ): Promise<LedgerEntry | undefined> {
    if (status === 'failed' || status === 'expired') await list(id, status);
    const from = predecessors[status];
    const values: Record<string, AttributeValue> = {
      ':status': { S: status },
      ':entry': { L: [historyValue({ status, at })] },
    };
    for (const [index, state] of from.entries()) values[`:from${index}`] = { S: state };
    const assignments = ['#status = :status', 'history = list_append(history, :entry)'];
    const names: Record<string, string> = { '#status': 'status' };
    for (const [name, value] of Object.entries(attributes)) {
      names[`#${name}`] = name;
      values[`:${name}`] = value;
      assignments.push(`#${name} = :${name}`);
    }
    const answer = await answerIfHeld(
      client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: commandKey(id),
          UpdateExpression: `SET ${assignments.join(', ')}`,
          ConditionExpression: `#status IN (${from.map((_, index) => `:from${index}`).join(', ')})`,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_NEW',
        }),
      ),
    );
    const item = answer === undefined ? await getItem(commandKey(id)) : answer.Attributes;
    return item === undefined ? undefined : ledgerEntryOf(item);
  }

  return {
    async queued(shard, after) {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: queuePartition(shard) } },
          ConsistentRead: true,
          Limit: pageEntries,
          ...(after !== undefined && { ExclusiveStartKey: after }),
        }),
      );
      return { entries: Items.map(entryOf), next: LastEvaluatedKey };
    },
    async read({ head, keys }) {
      const chunkKeys = keys.slice(1);
      const chunks = await getBatch(source, chunkKeys);
      return chunks.length < chunkKeys.length ? undefined : queuedCommandOf(head, chunks);
    },
    async awaited(maxEach) {
      const found = await Promise.all(
        awaitedPartitions.map((partition) => awaitedIn(source, partition, maxEach)),
      );
      return found.flat().sort((a, b) => (a.commandId < b.commandId ? -1 : 1));
    },
    async get(ids) {
      return (await getBatch(source, [...new Set(ids)].map(commandKey))).map(ledgerEntryOf);
    },
    markSent: (id, at, hadSubscribers) =>
      mark(id, 'sent', at, {
        sentAt: { S: at },
        ...(hadSubscribers !== undefined && { hadSubscribers: { BOOL: hadSubscribers } }),
      }),
    markAnswered: (id, reply) =>
      mark(id, 'answered', reply.receivedAt, { reply: replyValue(reply) }),
    markFailed: (id, { code, detail }, at) =>
      mark(id, 'failed', at, { error: { M: { code: { S: code }, detail: { S: detail } } } }),
    markExpired: (id, at) => mark(id, 'expired', at),
    async markNotAwaited(id) {
      const answer = await answerIfHeld(
        client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: commandKey(id),
            UpdateExpression: 'SET awaitsReply = :false',
            ConditionExpression: '#status IN (:pending, :sent)',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: {
              ':false': { BOOL: false },
              ':pending': { S: 'pending' },
              ':sent': { S: 'sent' },
            },
            ReturnValues: 'ALL_NEW',
          }),
        ),
      );
      return answer?.Attributes && ledgerEntryOf(answer.Attributes);
    },
    async remove(keys) {
      const { UnprocessedItems } = await client.send(
        new BatchWriteItemCommand({
          RequestItems: { [tableName]: keys.map((Key) => ({ DeleteRequest: { Key } })) },
        }),
      );
      // The caller does it again; deleting twice is no harm.
      if ((UnprocessedItems?.[tableName]?.length ?? 0) > 0)
        throw new Error('the table left deletions unprocessed');
    },
  };
}

function entryOf(head: Item): QueueEntry {
  const { pk, sk } = head;
  if (pk === undefined || sk === undefined) throw new Error('a queue item without its key');
  const chunkKeys = queueChunkKeys(head);
  const id = queuedIdOf(head);
  const caller = head['caller']?.S ?? '';
  return {
    id,
    caller,
    topic: head['topic']?.S ?? '',
    awaited: head['awaitsReply']?.BOOL === true ? awaitedReplyKey(caller, id) : undefined,
    deadline: head['deadline']?.S ?? '',
    bytes: head['payload']?.B?.byteLength ?? chunkKeys.length * chunkBytes,
    keys: [{ pk, sk }, ...chunkKeys],
    head,
  };
}

/** What the bridge tells of an entry. */
export function outcomeOf(entry: LedgerEntry): Outcome {
  const { id, status, sentAt, hadSubscribers, reply, error } = entry;
  const isGivenUp = entry.responseTopic !== undefined && !entry.awaitsReply;
  return {
    id,
    status,
    ...(isGivenUp && { awaitsReply: false }),
    ...(sentAt !== undefined && { sentAt }),
    ...(hadSubscribers === false && { hadSubscribers }),
    ...(reply !== undefined && { reply }),
    ...(error !== undefined && { error }),
  };
}
