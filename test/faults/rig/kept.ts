// All that is kept after a run: the messages table and the dead letters, read whole.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DynamoDBClient, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { decodeEnvelope, envelopeSchema } from '../../../functions/contract/envelope.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { joinChunks } from '../../../functions/table/chunks.ts';
import { deadLetterEnvelope, deadLetterPartition } from '../../../functions/table/dead-letter.ts';
import {
  chunkedPayloadOf,
  type Item,
  messageChunksPartition,
  messageOf,
} from '../../../functions/table/item.ts';
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
  const quarantined = (partitions.get(deadLetterPartition) ?? []).map((item) => {
    const chunks = partitions.get(`${deadLetterPartition}/${item['sk']?.S}`) ?? [];
    return quarantinedOf(JSON.parse(deadLetterEnvelope(item, chunks)), item['reason']?.S);
  });
  return { stored, quarantined };
}

/** How many dead letters there are: cheap enough to ask while waiting. */
export async function countDeadLetters(client: DynamoDBClient, tableName: string): Promise<number> {
  const { Count = 0 } = await client.send(
    new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: deadLetterPartition } },
      Select: 'COUNT',
      ConsistentRead: true,
    }),
  );
  return Count;
}

/** Names of the dead letters in a store of dead letters folder, which may not be there: cheap enough to ask while waiting. */
export function deadLettersInFolder(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
}

/** Reads a store of dead letters folder. */
export function keptInFolder(folder: string): Kept[] {
  return deadLettersInFolder(folder).map((name) => {
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

/** What the judge sees of a message. */
export function keptOf({ topic, payload }: Pick<Message, 'topic' | 'payload'>): Kept {
  return { number: numberIn(Buffer.from(payload)), topic, digest: digestOf(payload) };
}
