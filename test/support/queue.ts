// Commands in the ledger and the queue, as the api records them, for tests.
import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { v7 as uuidv7 } from 'uuid';
import { expandTopic } from '../../functions/contract/command.ts';
import { awaitedReplyItems } from '../../functions/table/awaited-reply.ts';
import { commandId } from '../../functions/table/command-id.ts';
import {
  commandKey,
  type LedgerEntry,
  ledgerEntryOf,
  ledgerItem,
} from '../../functions/table/command-item.ts';
import {
  type QueuedCommand,
  queueItems,
  queuePartition,
  queueShards,
} from '../../functions/table/queued-command.ts';
import type { TestTable } from './table.ts';

export type CommandParts = Partial<Omit<QueuedCommand, 'payload'>> & {
  readonly payload?: string | Buffer;
  readonly expiresInMs?: number;
};

/** A command with sensible parts; give the ones that matter. `{commandId}` in its topics is filled in. */
export function command(parts: CommandParts = {}): QueuedCommand {
  const { topic = 'd/1/cmd', payload = 'on', expiresInMs = 60_000, properties, ...rest } = parts;
  const id = parts.id ?? commandId(uuidv7(), topic);
  const responseTopic = properties?.responseTopic;
  return {
    qos: 1,
    retain: false,
    deadline: new Date(Date.now() + expiresInMs).toISOString(),
    expiresAtBroker: false,
    awaitsReply: false,
    ...rest,
    id,
    topic: expandTopic(topic, id),
    payload: Buffer.from(payload),
    properties: {
      ...properties,
      ...(responseTopic !== undefined && { responseTopic: expandTopic(responseTopic, id) }),
    },
  };
}

/** Puts commands into the ledger and the queue; they are not sent before a bridge looks. */
export async function record(table: TestTable, ...commands: QueuedCommand[]): Promise<void> {
  const expiresAtSeconds = Math.floor(Date.now() / 1000) + 86_400;
  for (const queued of commands) {
    const { id, topic, qos, retain, deadline, awaitsReply, caller, properties } = queued;
    const createdAt = new Date().toISOString();
    const entry = ledgerItem(
      {
        id,
        topic,
        qos,
        retain,
        deadline,
        awaitsReply,
        createdAt,
        ...(caller !== undefined && { caller }),
        status: 'pending',
        ...(properties.responseTopic !== undefined && { responseTopic: properties.responseTopic }),
        ...(properties.correlationData !== undefined && {
          correlationData: properties.correlationData,
        }),
        history: [{ status: 'pending', at: createdAt }],
      },
      expiresAtSeconds,
    );
    for (const Item of [
      entry,
      ...awaitedReplyItems(queued),
      ...queueItems(queued, expiresAtSeconds),
    ])
      await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
  }
}

/** What the ledger says of a command now. */
export async function inLedger(table: TestTable, id: string): Promise<LedgerEntry> {
  const { Item } = await table.client.send(
    new GetItemCommand({ TableName: table.tableName, Key: commandKey(id), ConsistentRead: true }),
  );
  if (Item === undefined) throw new Error(`no command ${id} in the ledger`);
  return ledgerEntryOf(Item);
}

/** How many commands wait in the queue. */
export async function queueLength(table: TestTable): Promise<number> {
  let count = 0;
  for (let shard = 0; shard < queueShards; shard++) {
    const { Count = 0 } = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: queuePartition(shard) } },
        ConsistentRead: true,
        Select: 'COUNT',
      }),
    );
    count += Count;
  }
  return count;
}
