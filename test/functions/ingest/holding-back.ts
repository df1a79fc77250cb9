// A client of a table that leaves some puts unprocessed, as a throttled DynamoDB does and the embedded one never would.
import type {
  BatchWriteItemCommandInput,
  DynamoDBClient,
  WriteRequest,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../../../functions/table/item.ts';
import { localClient } from '../../../infra/local/database.ts';

/** `holdsBack` is asked for every put, each time that it is sent. */
export function clientHoldingBack(
  endpoint: string,
  holdsBack: (item: Item) => boolean,
): DynamoDBClient {
  const client = localClient(endpoint);
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'BatchWriteItemCommand') return next(args);
        const { RequestItems = {} } = args.input as BatchWriteItemCommandInput;
        const kept: Record<string, WriteRequest[]> = {};
        const left: Record<string, WriteRequest[]> = {};
        for (const [table, requests] of Object.entries(RequestItems)) {
          for (const request of requests) {
            const pile = holdsBack(request.PutRequest?.Item ?? {}) ? left : kept;
            pile[table] = [...(pile[table] ?? []), request];
          }
        }
        if (Object.keys(kept).length === 0) {
          return { output: { UnprocessedItems: left, $metadata: {} }, response: undefined };
        }
        const result = await next({ ...args, input: { ...args.input, RequestItems: kept } });
        Object.assign(result.output, { UnprocessedItems: left });
        return result;
      },
    { step: 'initialize' },
  );
  return client;
}
