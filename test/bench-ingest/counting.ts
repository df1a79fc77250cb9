// Counts what a client writes, as DynamoDB bills it: a unit for each started KB of an item. Where the database tells what it
// has billed, that is counted beside it.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { itemBytes } from '../../functions/table/chunks.ts';
import type { Item } from '../../functions/table/item.ts';

/** What an item is for. */
export type Purpose = 'messages' | 'marks' | 'registry' | 'index';

export interface Written {
  calls: number;
  readonly units: Record<Purpose, number>;
  /** Bytes of the items that hold messages, with the 100 that DynamoDB adds to each. */
  messageBytes: number;
  /** Units by the database's own count; 0 where it has none. */
  told: number;
}

interface WriteInput {
  readonly RequestItems?: Record<string, { PutRequest?: { Item: Item } }[]>;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly ExpressionAttributeValues?: Item;
  ReturnConsumedCapacity?: string;
}

interface Told {
  readonly ConsumedCapacity?: { CapacityUnits?: number } | { CapacityUnits?: number }[];
}

/** `isTold`: the database knows what it consumes; the embedded one does not. */
export function countWrites(client: DynamoDBClient, isTold: boolean): Written {
  const written: Written = {
    calls: 0,
    units: { messages: 0, marks: 0, registry: 0, index: 0 },
    messageBytes: 0,
    told: 0,
  };
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        if (!/^(BatchWriteItem|PutItem|UpdateItem)Command$/.test(commandName)) return next(args);
        const input = args.input as WriteInput;
        written.calls++;
        for (const item of itemsOf(input)) {
          const purpose = purposeOf(item['pk']?.S ?? '');
          const bytes = itemBytes(item);
          written.units[purpose] += Math.ceil(bytes / 1024);
          if (purpose === 'messages') written.messageBytes += bytes + 100;
        }
        if (!isTold) return next(args);
        const result = await next({
          ...args,
          input: { ...input, ReturnConsumedCapacity: 'TOTAL' },
        });
        const { ConsumedCapacity = [] } = result.output as Told;
        for (const { CapacityUnits = 0 } of [ConsumedCapacity].flat())
          written.told += CapacityUnits;
        return result;
      },
    { step: 'initialize', priority: 'high', name: 'countWrites' },
  );
  return written;
}

/** The items as they are after the call, about. */
function itemsOf(input: WriteInput): Item[] {
  if (input.Item !== undefined) return [input.Item];
  if (input.Key !== undefined) return [{ ...input.Key, ...input.ExpressionAttributeValues }];
  return Object.values(input.RequestItems ?? {}).flatMap((requests) =>
    requests.flatMap(({ PutRequest }) => (PutRequest === undefined ? [] : [PutRequest.Item])),
  );
}

function purposeOf(partition: string): Purpose {
  if (/^([mc]\/|s\d\.)/.test(partition)) return 'messages';
  if (/^(position\/|segment-hours$)/.test(partition)) return 'marks';
  return partition === 'topics' ? 'registry' : 'index';
}
