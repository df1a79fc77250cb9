// The places that a topic of a route has for its dead letters in the table: as a ring, in which each new one takes that of
// the oldest. So a put costs two small writes, and nothing is counted or searched.
import { type DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type DeadLetter, deadLetterId } from '../../functions/table/dead-letter.ts';
import { type Item, topicKey } from '../../functions/table/item.ts';

export interface DeadLetterSlotsOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Places of each topic in each route. */
  readonly places: number;
}

/** A dead letter, as its main item names it. */
export interface DeadLetterAt {
  readonly id: string;
  /** How many chunks it has. */
  readonly chunks: number;
}

/** Gives a dead letter its place; resolves with the one that had it before. */
export type TakeSlot = (
  letter: DeadLetter,
  chunks: number,
  expiresAtSeconds: number,
) => Promise<DeadLetterAt | undefined>;

/** Sort key of the counter; those of places are numbers. */
const counterKey = 'next';

export function deadLetterSlots({ client, tableName, places }: DeadLetterSlotsOptions): TakeSlot {
  return async (letter, chunks, expiresAtSeconds) => {
    // Names of routes hold no slash.
    const pk = { S: `dead-letter-places/${letter.route}/${topicKey(letter.message.topic)}` };
    const expiresAt = { N: String(expiresAtSeconds) };
    const { Attributes: counted } = await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { pk, sk: { S: counterKey } },
        UpdateExpression: 'SET expiresAt = :expiresAt ADD taken :one',
        ExpressionAttributeValues: { ':expiresAt': expiresAt, ':one': { N: '1' } },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const place = Number(counted?.['taken']?.N ?? 0) % places;
    const id = deadLetterId(letter);
    const { Attributes: before } = await client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: {
          pk,
          sk: { S: String(place) },
          letter: { S: id },
          chunks: { N: String(chunks) },
          expiresAt,
        },
        ReturnValues: 'ALL_OLD',
      }),
    );
    const other = deadLetterIn(before);
    return other?.id === id ? undefined : other;
  };
}

function deadLetterIn(slot: Item | undefined): DeadLetterAt | undefined {
  const id = slot?.['letter']?.S;
  return id === undefined ? undefined : { id, chunks: Number(slot?.['chunks']?.N ?? 0) };
}
