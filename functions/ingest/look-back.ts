// Looks back in the table for messages that a broker may have redelivered: which of them are stored already.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Item, messagePartition } from '../contract/item.ts';
import type { Message } from '../contract/message.ts';
import { mapInParallel } from '../contract/parallel.ts';
import { mergeSteps, readPartition, type Steps } from '../contract/partition.ts';
import type { ItemFailure } from '../contract/receipt.ts';
import { hasOwnId, keyOf } from './identity.ts';
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
  /** Shards that a topic's messages are spread over. */
  readonly writeShards: number;
}

export interface LookedBack {
  readonly duplicates: ReadonlySet<Message>;
  /** Messages whose past could not be read. */
  readonly failures: ItemFailure[];
}

/** Looks back for the messages of a batch that are marked as possible duplicates, and for those alone. */
export type LookBack = (batch: readonly Message[]) => Promise<LookedBack>;

export function createLookBack(options: LookBackOptions): LookBack {
  const { client, tableName, concurrency, writeShards } = options;

  /** The newest items of a topic, those from the suspects' source, out of all shards. */
  function newest(topic: string, suspects: readonly Message[], items: number): Steps {
    const filter = filterOf(suspects);
    const range = { low: '0', high: '9', newestFirst: true };
    const shards = Array.from({ length: writeShards }, (_, shard) =>
      readPartition({ client, tableName }, messagePartition(topic, shard), range, {
        mostQueries: Math.ceil(mostPages / writeShards) + 1,
        mostItems: shareOf(items, writeShards),
        filter,
        names: { '#source': 'source' },
        // What was stored right before a crash must be seen.
        consistent: true,
      }),
    );
    return mergeSteps(shards, true);
  }

  return async (batch) => {
    const duplicates = new Set<Message>();
    const failures: ItemFailure[] = [];
    const suspects = batch.filter(({ possibleDuplicate }) => possibleDuplicate === true);
    const keys = new Set(batch.map(keyOf));
    await mapInParallel(bySourceAndTopic(suspects), concurrency, async (group) => {
      const search = new RedeliverySearch(group, keys);
      const [first] = group;
      if (first === undefined) return;
      try {
        const items = depth(group.length, suspects.length);
        for await (const { item } of newest(first.topic, group, items)) {
          if (item !== undefined) search.meet(item);
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

/** The share of each shard, and a half more, as ids do not spread evenly. */
function shareOf(items: number, shards: number): number {
  return shards === 1 ? items : Math.ceil((1.5 * items) / shards) + 20;
}

/** Leaves out on the server what cannot match, so that a long look-back moves few bytes. */
function filterOf(suspects: readonly Message[]): { expression: string; values: Item } {
  const source: Item = { ':source': { S: suspects[0]?.source ?? '' } };
  const packetIds = new Set(suspects.map(({ packetId }) => packetId));
  if (packetIds.size > maxOperands || suspects.some(hasOwnId)) {
    return { expression: '#source = :source', values: source };
  }
  const values: Item = {};
  for (const packetId of packetIds) values[`:p${packetId}`] = { N: String(packetId ?? 0) };
  const operands = Object.keys(values).join(', ');
  const expression = `#source = :source AND packetId IN (${operands})`;
  return { expression, values: { ...source, ...values } };
}
