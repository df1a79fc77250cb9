// The one DynamoDB client of api, ingest and bridge: every call bounded in time, and without what the SDK does for
// nobody.
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';

/** Attempts of one call: the SDK's own number for DynamoDB, written down so that the bound below stays true. */
const maxAttempts = 4;

/** Time for one attempt; with {@link maxAttempts} and short waits between them, a call ends within 22 s. */
const attemptTimeoutMs = 5000;

/**
 * For who answers somebody that waits: within 29 s all of its calls must have ended, so that a table that is away is
 * told as such. DynamoDB answers within 0.02 s, as a rule, a full query within 0.2 s.
 */
export const shortAttemptTimeoutMs = 1500;

export interface TableClientOptions extends DynamoDBClientConfig {
  /** Time for one attempt of a call, in milliseconds; an attempt is to connect, or to answer. Default 5,000. */
  readonly attemptTimeoutMs?: number;
}

/**
 * A client whose middleware is put together once for each command, not for every call, and that prepares no log
 * entries: the SDK copies every item for them and then, without a logger, throws them away. Together that was
 * a third of the CPU that a message costs (test/bench-ingest).
 */
export function createTableClient({
  attemptTimeoutMs: timeoutMs = attemptTimeoutMs,
  ...config
}: TableClientOptions = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    cacheMiddleware: true,
    maxAttempts,
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
    },
    ...config,
  });
  client.middlewareStack.remove('loggerMiddleware');
  return client;
}
