// Commands in DynamoDB as the api knows them: what it reads of ledger and queue, and what only one caller may write.
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { getBatch } from '../../contract/batch-get.ts';
import { itemBytes } from '../../contract/chunks.ts';
import type { CommandStatus } from '../../contract/command.ts';
import {
  commandKey,
  commandsPartition,
  type LedgerEntry,
  ledgerEntryOf,
  queueKey,
} from '../../contract/command-item.ts';
import type { Item } from '../../contract/item.ts';
import { readPartition, unexpired } from '../../contract/partition.ts';
import { collectPage, maxQueriesPerPage, type Page } from '../interface/page.ts';

export interface CommandSelection {
  /** As the callers gave it, placeholders and all. */
  readonly topic: string;
  readonly status?: CommandStatus | undefined;
  readonly limit: number;
}

/** All reads are strongly consistent, and show nothing that has expired. */
export interface CommandStore {
  /** Puts the item unless its key is there; an expired one counts as absent. Resolves with whether it did. */
  putOnce(item: Item): Promise<boolean>;
  item(key: Item): Promise<Item | undefined>;
  entry(id: string): Promise<LedgerEntry | undefined>;
  /** The entries of up to 1,000 ids that there are, by id, without their replies, which may be 256 KB each. */
  entriesWithoutReplies(ids: readonly string[]): Promise<Map<string, LedgerEntry>>;
  /** Whether the command is in the queue. */
  isQueued(id: string): Promise<boolean>;
  /** The newest commands first. */
  list(
    selection: CommandSelection,
    isVisible: (entry: LedgerEntry) => boolean,
    after?: string,
  ): Promise<Page<LedgerEntry>>;
}

export interface CommandStoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly now: () => number;
}

export function createCommandStore({ client, tableName, now }: CommandStoreOptions): CommandStore {
  const source = { client, tableName };
  const nowSeconds = () => Math.floor(now() / 1000);
  const isLive = (item: Item) => Number(item['expiresAt']?.N) > nowSeconds();

  async function item(key: Item): Promise<Item | undefined> {
    const { Item: found } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return found !== undefined && isLive(found) ? found : undefined;
  }

  const shown = (found: Item) => entryAt(ledgerEntryOf(found), now());

  async function entry(id: string): Promise<LedgerEntry | undefined> {
    const found = await item(commandKey(id));
    return found === undefined ? undefined : shown(found);
  }

  return {
    async putOnce(once) {
      try {
        await client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: once,
            // TTL deletes within days: what has expired is no longer there for us.
            ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
            ExpressionAttributeValues: { ':now': { N: String(nowSeconds()) } },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
    item,
    entry,
    async entriesWithoutReplies(ids) {
      const found = await getBatch(source, ids.map(commandKey), {
        ProjectionExpression:
          'sk, topic, #status, qos, retain, createdAt, deadline, awaitsReply, sentAt, hadSubscribers, #error, history, expiresAt',
        ExpressionAttributeNames: { '#status': 'status', '#error': 'error' },
      });
      return new Map(
        found
          .filter(isLive)
          .map(shown)
          .map((one) => [one.id, one]),
      );
    },
    async isQueued(id) {
      return (await item(queueKey(id))) !== undefined;
    },
    list({ topic, status, limit }, isVisible, after) {
      const steps = readPartition(
        source,
        commandsPartition(topic),
        { low: '0', high: 'g', newestFirst: true, after },
        {
          mostQueries: maxQueriesPerPage,
          // One more than the page has, to know whether it is the last.
          firstItems: limit + 1,
          consistent: true,
          filter: unexpired(now()),
        },
      );
      return collectPage(steps, {
        limit,
        pick(found) {
          const one = shown(found);
          // The partition has a digest of the topic, which two topics may share.
          const belongs = one.topic === topic && (status === undefined || one.status === status);
          return belongs && isVisible(one) ? one : undefined;
        },
        bytesOf: itemBytes,
      });
    },
  };
}

/** A command as it is at `nowMs`: that its time is over, nobody writes down before the bridge looks at it. */
export function entryAt(entry: LedgerEntry, nowMs: number): LedgerEntry {
  const isOver = entry.status === 'pending' && Date.parse(entry.deadline) <= nowMs;
  return isOver ? { ...entry, status: 'expired' } : entry;
}
