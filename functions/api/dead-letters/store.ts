// The quarantine as the api sees it: lists, reads and deletes what the bridge put into the table.
import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  type DeadLetterSummary,
  deadLetterChunkPartition,
  deadLetterKey,
  deadLetterKeys,
  deadLetterMessage,
  deadLetterSummaryOf,
  quarantinePartition,
  summaryAttributes,
} from '../../contract/dead-letter.ts';
import type { Item } from '../../contract/item.ts';
import type { Message } from '../../contract/message.ts';
import { mapInParallel } from '../../contract/parallel.ts';
import { readChunks, readPartition } from '../../contract/partition.ts';
import type { ReplayDeadLetter } from '../bridge.ts';
import { collectPage, maxQueriesPerPage, type Page } from '../interface/page.ts';

export interface DeadLetterSelection {
  readonly limit: number;
  /** Name of a route; default all. */
  readonly route?: string | undefined;
  /** Whether a topic belongs to the list. */
  readonly isVisible: (topic: string) => boolean;
}

/** Ids are those of {@link DeadLetterSummary}. */
export interface DeadLetters {
  /** Newest first, by the time at which the messages were received. */
  list(selection: DeadLetterSelection, after?: string): Promise<Page<DeadLetterSummary>>;
  find(id: string): Promise<DeadLetterSummary | undefined>;
  /** The message, exactly as it was received; undefined where the dead letter is gone. */
  message(id: string): Promise<Message | undefined>;
  /** Deletes it. What is gone already stays so. */
  remove(id: string): Promise<void>;
  readonly replay: ReplayDeadLetter;
}

export interface DeadLetterOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly replay: ReplayDeadLetter;
}

const deletesAtOnce = 8;

export function createDeadLetters({ client, tableName, replay }: DeadLetterOptions): DeadLetters {
  const source = { client, tableName };

  async function get(id: string, attributes?: string): Promise<Item | undefined> {
    const { Item } = await client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: deadLetterKey(id),
        ConsistentRead: true,
        ...(attributes !== undefined && { ProjectionExpression: attributes }),
      }),
    );
    return Item;
  }

  async function find(id: string): Promise<DeadLetterSummary | undefined> {
    const main = await get(id, summaryAttributes);
    return main && deadLetterSummaryOf(main);
  }

  function list(selection: DeadLetterSelection, after?: string): Promise<Page<DeadLetterSummary>> {
    const { limit, route, isVisible } = selection;
    const range = { low: '0', high: '9', newestFirst: true, after };
    const steps = readPartition(source, quarantinePartition, range, {
      mostQueries: maxQueriesPerPage,
      firstItems: limit + 1,
      attributes: summaryAttributes,
      ...(route !== undefined && {
        filter: { expression: 'route = :route', values: { ':route': { S: route } } },
      }),
    });
    return collectPage(steps, {
      limit,
      pick(item) {
        const summary = deadLetterSummaryOf(item);
        return isVisible(summary.topic) ? summary : undefined;
      },
      bytesOf: (item) => Buffer.byteLength(item['topic']?.S ?? ''),
    });
  }

  async function message(id: string): Promise<Message | undefined> {
    const main = await get(id);
    if (main === undefined) return undefined;
    const count = Number(main['chunks']?.N ?? 0);
    return deadLetterMessage(main, await readChunks(source, deadLetterChunkPartition(id), count));
  }

  async function remove(id: string): Promise<void> {
    const main = await get(id, `${summaryAttributes}, chunks`);
    if (main === undefined) return;
    // The main item first: without it nobody finds the chunks, while half a message would be found.
    const [key, ...chunks] = deadLetterKeys(main);
    await client.send(new DeleteItemCommand({ TableName: tableName, Key: key }));
    await mapInParallel(chunks, deletesAtOnce, (Key) =>
      client.send(new DeleteItemCommand({ TableName: tableName, Key })),
    );
  }

  return { list, find, message, remove, replay };
}
