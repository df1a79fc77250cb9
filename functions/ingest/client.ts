// The DynamoDB client of ingest: every call bounded in time, and without what the SDK does for nobody.
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** Time for one attempt of a call, of which the SDK makes three. */
const requestTimeoutMs = 5000;

/**
 * A client whose middleware is put together once for each command, not for every call, and that prepares no log
 * entries: the SDK copies every item for them and then, without a logger, throws them away. Together that was
 * a third of the CPU that a message costs (test/bench-ingest).
 */
export function createClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    cacheMiddleware: true,
    requestHandler: {
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
    },
    ...config,
  });
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
