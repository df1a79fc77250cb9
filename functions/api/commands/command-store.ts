// Commands in DynamoDB as the api knows them: what it reads of ledger and queue, and what only one caller may write.
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { CommandStatus, Reply } from '../../contract/command.ts';
import { replyEndsAtMs } from '../../table/awaited-reply.ts';
import { getBatch } from '../../table/batch-get.ts';
import { itemBytes } from '../../table/chunks.ts';
import { isCommandId } from '../../table/command-id.ts';
import {
  commandKey,
  commandsPartition,
  type LedgerEntry,
  ledgerEntryOf,
  replyIn,
  type StatusOfAllTopics,
  statusesOfAllTopics,
} from '../../table/command-item.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import { type Item, textAt } from '../../table/item.ts';
import { readPartition, unexpired } from '../../table/partition.ts';
import { queueKey } from '../../table/queued-command.ts';
import { bookedBy, type ReadBudget } from '../../table/read-budget.ts';
import { collectPage, maxQueriesPerPage, type Page, pageOf } from '../interface/page.ts';
import { keysOfStatus } from './status-keys.ts';

export interface CommandSelection {
  /** As the callers gave it, placeholders and all; all topics where absent, which takes a listed status. */
  readonly topic?: string | undefined;
  readonly status?: CommandStatus | undefined;
  readonly limit: number;
  readonly budget: ReadBudget;
}

/** All reads are strongly consistent, and show nothing that has expired. */
export interface CommandStore {
  /** Puts the item unless its key is there; an expired one counts as absent. Resolves with whether it did. */
  putOnce(item: Item): Promise<boolean>;
  item(key: Item): Promise<Item | undefined>;
  entry(id: string, budget?: ReadBudget): Promise<LedgerEntry | undefined>;
  /** The entries of up to 1,000 ids that there are, by id, without their replies, which may be 256 KB each. */
  entriesWithoutReplies(ids: readonly string[]): Promise<Map<string, LedgerEntry>>;
  /** The replies to `ids` that there are, by id: in this order, until those read have `maxBytes` of payload. */
  replies(ids: readonly string[], maxBytes: number): Promise<Map<string, Reply>>;
  /** Whether the command is in the queue. */
  isQueued(id: string): Promise<boolean>;
  /** The newest commands first. */
  list(
    selection: CommandSelection,
    isVisible: (entry: LedgerEntry) => boolean,
    after?: string,
  ): Promise<Page<LedgerEntry>>;
}

/** Maximum commands that one page looks at where it leaves out what the caller may not see. */
const maxLooked = 100;

/** Replies that are read at once: at most 10 MB, as an item has at most 400 KB. */
const repliesAtOnce = 25;

export interface CommandStoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly now: () => number;
}

export function createCommandStore({ client, tableName, now }: CommandStoreOptions): CommandStore {
  const source = { client, tableName };
  const nowSeconds = () => Math.floor(now() / 1000);
  const isLive = (item: Item) => Number(item['expiresAt']?.N) > nowSeconds();

  async function item(key: Item, budget?: ReadBudget): Promise<Item | undefined> {
    const { Item: found, ConsumedCapacity } = await client.send(
      new GetItemCommand({
        TableName: tableName,
        Key: key,
        ConsistentRead: true,
        ...bookedBy(budget),
      }),
    );
    budget?.book(ConsumedCapacity?.CapacityUnits ?? 0);
    return found !== undefined && isLive(found) ? found : undefined;
  }

  const shown = (found: Item) => entryAt(ledgerEntryOf(found), now());

  async function entry(id: string, budget?: ReadBudget): Promise<LedgerEntry | undefined> {
    const found = await item(commandKey(id), budget);
    return found === undefined ? undefined : shown(found);
  }

  /** The commands of a topic. */
  function ofTopic(
    topic: string,
    { status, limit, budget }: CommandSelection,
    isVisible: (entry: LedgerEntry) => boolean,
    after: string | undefined,
  ): Promise<Page<LedgerEntry>> {
    const steps = readPartition(
      source,
      commandsPartition(topic),
      { low: '0', high: 'g', newestFirst: true, after },
      {
        maxQueries: maxQueriesPerPage,
        // One more than the page has, to know whether it is the last.
        firstItems: limit + 1,
        budget,
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
  }

  /** The commands of all topics that have come to this. */
  async function ofStatus(
    status: StatusOfAllTopics,
    { limit, budget }: CommandSelection,
    isVisible: (entry: LedgerEntry) => boolean,
    after: string | undefined,
  ): Promise<Page<LedgerEntry>> {
    const selected = { maxItems: maxLooked, nowMs: now(), budget };
    const { steps, idOf } = keysOfStatus(source, status, after, selected);
    const keys: string[] = [];
    let isComplete = false;
    while (keys.length < maxLooked) {
      const { done, value } = await steps.next();
      if (done === true) {
        isComplete = value;
        break;
      }
      keys.push(value.key);
    }
    const found = await entriesWithoutReplies(keys.map(idOf).filter(isCommandId), budget);
    const entries: LedgerEntry[] = [];
    for (const [index, key] of keys.entries()) {
      if (entries.length === limit) return pageOf(entries, keys[index - 1]);
      const one = found.get(idOf(key));
      if (one?.status === status && isVisible(one)) entries.push(one);
    }
    return pageOf(entries, isComplete ? undefined : (keys.at(-1) ?? after));
  }

  async function entriesWithoutReplies(
    ids: readonly string[],
    budget?: ReadBudget,
  ): Promise<Map<string, LedgerEntry>> {
    const projection = {
      ProjectionExpression:
        'sk, topic, #status, qos, retain, createdAt, deadline, awaitsReply, responseTopic, sentAt, hadSubscribers, #error, history, expiresAt',
      ExpressionAttributeNames: { '#status': 'status', '#error': 'error' },
    };
    const found = await getBatch(source, ids.map(commandKey), projection, budget);
    return new Map(
      found
        .filter(isLive)
        .map(shown)
        .map((one) => [one.id, one]),
    );
  }

  async function replies(ids: readonly string[], maxBytes: number): Promise<Map<string, Reply>> {
    const byId = new Map<string, Reply>();
    const projection = {
      ProjectionExpression: 'sk, #reply',
      ExpressionAttributeNames: { '#reply': 'reply' },
    };
    let bytes = 0;
    for (let start = 0; start < ids.length && bytes < maxBytes; start += repliesAtOnce) {
      const keys = ids.slice(start, start + repliesAtOnce).map(commandKey);
      for (const found of await getBatch(source, keys, projection)) {
        const reply = replyIn(found);
        if (reply === undefined) continue;
        bytes += reply.payloadBase64.length * 0.75;
        byId.set(textAt(found, 'sk'), reply);
      }
    }
    return byId;
  }

  return {
    async putOnce(once) {
      return conditionHeld(
        client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: once,
            // TTL deletes within days: what has expired is no longer there for us.
            ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
            ExpressionAttributeValues: { ':now': { N: String(nowSeconds()) } },
          }),
        ),
      );
    },
    item,
    entry,
    entriesWithoutReplies,
    replies,
    async isQueued(id) {
      return (await item(queueKey(id))) !== undefined;
    },
    list(selection, isVisible, after) {
      const { topic, status } = selection;
      if (topic !== undefined) return ofTopic(topic, selection, isVisible, after);
      const listed = statusesOfAllTopics.find((one) => one === status);
      if (listed === undefined) throw new Error(`commands cannot be listed by status ${status}`);
      return ofStatus(listed, selection, isVisible, after);
    },
  };
}

/**
 * A command as it is at `nowMs`: that its time is over, nobody writes down before the bridge looks at it, and that its
 * reply is no longer awaited, nobody ever.
 */
export function entryAt(entry: LedgerEntry, nowMs: number): LedgerEntry {
  const { status, deadline } = entry;
  if (status === 'pending' && Date.parse(deadline) <= nowMs)
    return { ...entry, status: 'expired', awaitsReply: false };
  const isOpen = status === 'pending' || status === 'sent';
  const awaitsReply = entry.awaitsReply && isOpen && nowMs < replyEndsAtMs(deadline);
  return awaitsReply === entry.awaitsReply ? entry : { ...entry, awaitsReply };
}
