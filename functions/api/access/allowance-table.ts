// What callers have taken of their allowances, in the table: where all instances see it.
import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { secretDigest } from '../../contract/secret.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import { type TakeShare, windowMs } from './allowance.ts';

/** Kept for an hour after its window, as clocks may differ. */
const keptSeconds = 3600;

/** Each share costs one write unit, also one that is refused. */
export function takeInTable(client: DynamoDBClient, tableName: string): TakeShare {
  return async ({ holder, window, amount, limit }) => {
    return conditionHeld(
      client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: {
            // A holder may be as long as a JWT's subject.
            pk: { S: `allowance/${secretDigest(holder).toString('base64url')}` },
            sk: { S: String(window) },
          },
          UpdateExpression: 'ADD taken :amount SET expiresAt = :expiresAt',
          ConditionExpression: 'attribute_not_exists(taken) OR taken <= :before',
          ExpressionAttributeValues: {
            ':amount': { N: String(amount) },
            ':before': { N: String(limit - amount) },
            ':expiresAt': { N: String(Math.ceil((window * windowMs) / 1000) + keptSeconds) },
          },
        }),
      ),
    );
  };
}
