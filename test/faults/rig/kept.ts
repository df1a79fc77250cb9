// All that is kept after a run: the messages table and the dead letters, read whole.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { decodeEnvelope, envelopeSchema } from '../../../functions/contract/envelope-decoding.ts';
import type { Message } from '../../../functions/contract/message.ts';
import { deadLetterEnvelope, deadLetterPartition } from '../../../functions/table/dead-letter.ts';
import { allItems, byPartition, messagesIn } from '../../support/stored.ts';
import type { Kept } from './oracle.ts';
import { digestOf, numberIn } from './publisher.ts';

export interface AllKept {
  readonly stored: readonly Kept[];
  readonly quarantined: readonly Kept[];
}

/** Scans the whole table. */
export async function keptInTable(client: DynamoDBClient, tableName: string): Promise<AllKept> {
  const items = await allItems({ client, tableName });
  const partitions = byPartition(items);
  const stored = messagesIn(items).map(keptOf);
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
