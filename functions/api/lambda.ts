// Composition root of the api function on Lambda: environment → reader and bridge → app → handler.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { handle } from 'hono/aws-lambda';
import * as z from 'zod';
import { createApi } from './app.ts';
import { createDeliver } from './bridge.ts';
import { createReader } from './reader.ts';

const environment = z
  .object({
    MESSAGES_TABLE: z.string().min(1),
    BRIDGE_URL: z.url(),
    BRIDGE_TOKEN: z.string().min(16),
    API_TOKEN: z.string().min(16),
  })
  .parse(process.env);

const reader = createReader({
  client: new DynamoDBClient(),
  tableName: environment.MESSAGES_TABLE,
});
const deliver = createDeliver({ url: environment.BRIDGE_URL, token: environment.BRIDGE_TOKEN });

export const handler = handle(
  createApi({
    reader,
    deliver,
    token: environment.API_TOKEN,
    onError: (error) =>
      process.stderr.write(`${JSON.stringify({ level: 'error', error: error.stack })}\n`),
  }),
);
