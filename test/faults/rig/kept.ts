// All that is kept after a run: the messages table and the quarantine, read whole.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DynamoDBClient, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { joinChunks } from '../../../functions/contract/chunks.ts';
import {
  deadLetterEnvelope,
  quarantinePartition,
} from '../../../functions/contract/dead-letter.ts';
import { decodeEnvelope, envelopeSchema } from '../../../functions/contract/envelope.ts';
import {
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
} from '../../../functions/contract/item.ts';
import type { Message } from '../../../functions/contract/message.ts';
import type { Kept } from './oracle.ts';
import { digestOf, numberIn } from './publisher.ts';

export interface AllKept {
  readonly stored: readonly Kept[];
  readonly quarantined: readonly Kept[];
}

/** Scans the whole table. */
export async function keptInTable(client: DynamoDBClient, tableName: string): Promise<AllKept> {
  const items: Item[] = [];
  let from: Item | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: tableName,
        ConsistentRead: true,
        ...(from !== undefined && { ExclusiveStartKey: from }),
      }),
    );
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);

  const partitions = new Map<string, Item[]>();
  for (const item of items) {
    const name = item['pk']?.S ?? '';
    partitions.set(name, [...(partitions.get(name) ?? []), item]);
  }
  const stored: Kept[] = [];
  for (const [name, members] of partitions) {
    if (!name.startsWith('m/')) continue;
    for (const item of members) {
      const message = messageOf(item);
      const chunks = partitions.get(messageChunksPartition(message)) ?? [];
      const payload = chunkedPayloadOf(item) === undefined ? message.payload : joinChunks(chunks);
      stored.push(keptOf({ topic: message.topic, payload }));
    }
  }
  const quarantined = (partitions.get(quarantinePartition) ?? []).map((item) => {
    const chunks = partitions.get(`${quarantinePartition}/${item['sk']?.S}`) ?? [];
    return quarantinedOf(JSON.parse(deadLetterEnvelope(item, chunks)), item['reason']?.S);
  });
  return { stored, quarantined };
}

/** How many dead letters there are: cheap enough to ask while waiting. */
export async function countQuarantined(client: DynamoDBClient, tableName: string): Promise<number> {
  const { Count = 0 } = await client.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: quarantinePartition } },
      Select: 'COUNT',
      ConsistentRead: true,
    }),
  );
  return Count;
}

/** Reads a quarantine folder; without one there is nothing in it. */
export function keptInFolder(folder: string): Kept[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      const letter = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      return quarantinedOf(letter.envelope, letter.reason);
    });
}

function quarantinedOf(envelope: unknown, reason: string | undefined): Kept {
  return {
    ...keptOf(decodeEnvelope(envelopeSchema.parse(envelope))),
    ...(reason !== undefined && { reason }),
  };
}

function keptOf({ topic, payload }: Pick<Message, 'topic' | 'payload'>): Kept {
  return { number: numberIn(Buffer.from(payload)), topic, digest: digestOf(payload) };
}
