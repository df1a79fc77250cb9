// Looks back in the table for messages that a broker may have redelivered: which of them are stored already.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type Item, messagePartition } from '../contract/item.ts';
import type { Message } from '../contract/message.ts';
import type { ItemFailure } from '../contract/receipt.ts';
import { hasOwnId, keyOf } from './identity.ts';
import { inParallel } from './parallel.ts';
import { RedeliverySearch } from './redelivery-search.ts';

/** Messages that a session may have unacknowledged: the largest window but for special settings. */
const windowSize = 2000;
/** Items of a topic that a look-back reads. Two routes may store the same topic, each a window of it. */
const mostItems = 2 * windowSize;
const leastItems = 100;
/** A query reads at most 1 MB, so this is what bounds the look-back on a topic of large messages. */
const mostPages = 16;
/** An IN may have so many operands. */
const maxOperands = 100;

export interface LookBackOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Topics looked at side by side. */
  readonly concurrency: number;
}

export interface LookedBack {
  readonly duplicates: ReadonlySet<Message>;
  /** Messages whose past could not be read. */
  readonly failures: ItemFailure[];
}

/** Looks back for the messages of a batch that are marked as possible duplicates, and for those alone. */
export type LookBack = (batch: readonly Message[]) => Promise<LookedBack>;

export function createLookBack({ client, tableName, concurrency }: LookBackOptions): LookBack {
  /** The newest items of a topic from one source, page by page. */
  async function* newest(suspects: readonly Message[], items: number) {
    const [first] = suspects;
    if (first === undefined) return;
    const filter = filterOf(suspects);
    let left = items;
    let after: Item | undefined;
    for (let pages = 0; pages < mostPages && left > 0; pages++) {
      const { Items, ScannedCount, LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: tableName,
          // What was stored right before a crash must be seen.
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          FilterExpression: filter.expression,
          ExpressionAttributeNames: { '#source': 'source' },
          ExpressionAttributeValues: {
            ':pk': { S: messagePartition(first.topic) },
            ':source': { S: first.source },
            ...filter.values,
          },
          ScanIndexForward: false,
          Limit: left,
          ...(after !== undefined && { ExclusiveStartKey: after }),
        }),
      );
      yield Items ?? [];
      left -= ScannedCount ?? left;
      after = LastEvaluatedKey;
      if (after === undefined) return;
    }
  }

  return async (batch) => {
    const duplicates = new Set<Message>();
    const failures: ItemFailure[] = [];
    const suspects = batch.filter(({ possibleDuplicate }) => possibleDuplicate === true);
    const keys = new Set(batch.map(keyOf));
    await inParallel(bySourceAndTopic(suspects), concurrency, async (group) => {
      const search = new RedeliverySearch(group, keys);
      try {
        const items = depth(group.length, suspects.length);
        for await (const page of newest(group, items)) {
          for (const item of page) search.meet(item);
          if (search.isOver) break;
        }
        for (const message of search.found) duplicates.add(message);
      } catch (error) {
        const reason = `the look-back failed: ${error instanceof Error ? error.name : 'unknown'}`;
        failures.push(...group.map(({ id }) => ({ itemIdentifier: id, reason, retryable: true })));
      }
    });
    return { duplicates, failures };
  };
}

function bySourceAndTopic(suspects: readonly Message[]): Message[][] {
  const groups = new Map<string, Message[]>();
  for (const message of suspects) {
    const key = `${message.topic} ${message.source}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [message]);
    else group.push(message);
  }
  return [...groups.values()];
}

/**
 * How many items of a topic to read. PUBACKs leave in arrival order, so whatever the session received after an
 * unacknowledged message comes again too: what lies above an original is the topic's share of one window. The
 * share in this batch is the estimate, taken four times and never below `leastItems`.
 */
function depth(suspectsOfTopic: number, suspects: number): number {
  const share = Math.ceil((4 * windowSize * suspectsOfTopic) / suspects);
  return Math.min(mostItems, Math.max(leastItems, share));
}

/** Leaves out on the server what cannot match, so that a long look-back moves few bytes. */
function filterOf(suspects: readonly Message[]): { expression: string; values: Item } {
  const packetIds = new Set(suspects.map(({ packetId }) => packetId));
  if (packetIds.size > maxOperands || suspects.some(hasOwnId)) {
    return { expression: '#source = :source', values: {} };
  }
  const values: Item = {};
  for (const packetId of packetIds) values[`:p${packetId}`] = { N: String(packetId ?? 0) };
  const operands = Object.keys(values).join(', ');
  return { expression: `#source = :source AND packetId IN (${operands})`, values };
}
