// Tables of the template, made in a local DynamoDB.
import {
  BillingMode,
  CreateTableCommand,
  DeleteTableCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';

export const tableSchema = z.strictObject({
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  KeySchema: z.array(
    z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }),
  ),
  BillingMode: z.enum(BillingMode),
  TimeToLiveSpecification: z.strictObject({ AttributeName: z.string(), Enabled: z.boolean() }),
  // How it is kept, which a local one does not know.
  Replicas: z.unknown(),
  SSESpecification: z.unknown(),
});

/** Resolves with what removes it. */
export async function createTable(
  client: DynamoDBClient,
  TableName: string,
  declared: z.output<typeof tableSchema>,
): Promise<() => Promise<unknown>> {
  const { AttributeDefinitions, KeySchema, TimeToLiveSpecification } = declared;
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions,
      KeySchema,
      BillingMode: declared.BillingMode,
    }),
  );
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  return () => client.send(new DeleteTableCommand({ TableName }));
}
