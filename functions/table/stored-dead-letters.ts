// Dead letters of the table, each of them whole: found by id, read, and deleted with all of its chunks.
import { DeleteItemCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { mapInParallel } from '../contract/parallel.ts';
import {
  deadLetterChunkPartition,
  deadLetterEnvelope,
  deadLetterKey,
  hasExpired,
  keysOfDeadLetter,
} from './dead-letter.ts';
import type { Item } from './item.ts';
import { type ItemSource, readChunks } from './partition.ts';
import { bookedBy, type ReadBudget } from './read-budget.ts';

const deletesAtOnce = 8;

/** Ids are those of `deadLetterId`. All reads are consistent: what has just been put is there. */
export interface StoredDeadLetters {
  /** Its main item, or those `attributes` of it; undefined where it is gone or has expired. */
  find(id: string, attributes?: string, budget?: ReadBudget): Promise<Item | undefined>;
  /** The envelope text of a whole main item. */
  envelope(main: Item, budget?: ReadBudget): Promise<string>;
  /** Deletes it with its chunks; resolves with whether it was still there. */
  remove(id: string, chunks: number): Promise<boolean>;
}

/** How many chunks a dead letter has besides its main item. */
export function chunksOf(main: Item): number {
  return Number(main['chunks']?.N ?? 0);
}

export function createStoredDeadLetters(source: ItemSource): StoredDeadLetters {
  const { client, tableName: TableName } = source;
  return {
    async find(id, attributes, budget) {
      const { Item, ConsumedCapacity } = await client.send(
        new GetItemCommand({
          TableName,
          Key: deadLetterKey(id),
          ConsistentRead: true,
          ...(attributes !== undefined && { ProjectionExpression: attributes }),
          ...(budget && bookedBy(budget)),
        }),
      );
      budget?.book(ConsumedCapacity?.CapacityUnits ?? 0);
      return Item && !hasExpired(Item, Date.now()) ? Item : undefined;
    },
    async envelope(main, budget) {
      const partition = deadLetterChunkPartition(main['sk']?.S ?? '');
      return deadLetterEnvelope(main, await readChunks(source, partition, chunksOf(main), budget));
    },
    async remove(id, chunkCount) {
      // The main item first: without it nobody finds the chunks, while half a message would be found.
      const [Key, ...chunks] = keysOfDeadLetter(id, chunkCount);
      const { Attributes } = await client.send(
        new DeleteItemCommand({ TableName, Key, ReturnValues: 'ALL_OLD' }),
      );
      await mapInParallel(chunks, deletesAtOnce, (Key) =>
        client.send(new DeleteItemCommand({ TableName, Key })),
      );
      return Attributes !== undefined;
    },
  };
}
