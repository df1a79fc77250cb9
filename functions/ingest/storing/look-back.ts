// Looks back in the table for messages that a broker may have redelivered: which of them are stored already, as items of their
// own or in segments.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Message } from '../../contract/message.ts';
import { mapInParallel } from '../../contract/parallel.ts';
import type { ItemFailure } from '../../contract/receipt.ts';
import {
  type Item,
  messageItem,
  messagePartition,
  messageSortKey,
  textAt,
} from '../../table/item.ts';
import { readPartition } from '../../table/partition.ts';
import { compareSortKeys } from '../../table/sort-keys.ts';
import { mergeSteps, type Steps } from '../../table/steps.ts';
import { hasOwnId, keyOf } from './identity.ts';
import { lastPacked } from './log-look-back.ts';
import { RedeliverySearch } from './redelivery-search.ts';

/** Messages that are unacknowledged at a route at most, by default. */
const window = 4000;
/** Items of a topic that a look-back reads: two routes may store it, with a full window each. */
const maxItems = 2 * window;
const minItems = 100;
/** A query reads at most 1 MB, so this is what bounds the look-back on a topic of large messages. */
const maxPages = 16;
/** Bytes of packed messages that are held at once, of all sources: two windows of a route by default. */
const maxPackedBytes = 64 * 1024 * 1024;
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

  /** The newest items of a topic up to a sort key, those from the suspects' source, out of all shards. */
  function newest(topic: string, filter: Filter, items: number, high = '9'): Steps {
    const range = { low: '0', high, newestFirst: true };
    const shards = Array.from({ length: writeShards }, (_, shard) =>
      readPartition({ client, tableName }, messagePartition(topic, shard), range, {
        maxQueries: Math.ceil(maxPages / writeShards) + 1,
        maxItems: shareOf(items, writeShards),
        filter,
        names: { '#source': 'source' },
        // What was stored right before a crash must be seen.
        consistent: true,
      }),
    );
    return mergeSteps(shards, true);
  }

  /** The items of a topic as they were stored, the last first; `packed` are those that were in segments. */
  function lastStored(
    topic: string,
    suspects: readonly Message[],
    items: number,
    packed: readonly Item[],
  ): Steps {
    const filter = filterOf(suspects);
    const latest = suspects.reduce((a, b) => (a.time > b.time ? a : b));
    const { receivedAfter } = latest;
    if (receivedAfter === undefined)
      return mergeSteps([newest(topic, filter, items), stepsOf(packed)], true);
    // The clock has been set back: what came since then stands below what came before, and between it.
    const since = filterAnd(filter, 'receivedAfter = :since', receivedAfter);
    const before = filterAnd(
      filter,
      '(attribute_not_exists(receivedAfter) OR receivedAfter <> :since)',
      receivedAfter,
    );
    return oneAfterTheOther(
      newest(topic, since, 2 * items, messageSortKey(latest)),
      mergeSteps([newest(topic, before, items), stepsOf(packed)], true),
    );
  }

  /** What of each source was packed last, by topic: read once, for all of its suspects. */
  function packedOf(suspects: readonly Message[]): Map<string, Promise<Map<string, Item[]>>> {
    const topicsOf = new Map<string, Set<string>>();
    for (const { source, topic } of suspects)
      topicsOf.set(source, (topicsOf.get(source) ?? new Set()).add(topic));
    const limits = {
      concurrency,
      maxMessages: 2 * window,
      maxBytes: maxPackedBytes / topicsOf.size,
    };
    return new Map(
      Array.from(topicsOf, ([source, topics]) => [
        source,
        lastPacked({ client, tableName }, source, topics, limits).then(newestFirst),
      ]),
    );
  }

  return async (batch) => {
    const duplicates = new Set<Message>();
    const failures: ItemFailure[] = [];
    const suspects = batch.filter(({ possibleDuplicate }) => possibleDuplicate === true);
    const keys = new Set(batch.map(keyOf));
    const packedBySource = packedOf(suspects);
    // Callers that wait for one are told; nobody may wait for it any more.
    for (const packed of packedBySource.values()) packed.catch(() => {});
    await mapInParallel(bySourceAndTopic(suspects), concurrency, async (group) => {
      const search = new RedeliverySearch(group, keys);
      const [first] = group;
      if (first === undefined) return;
      try {
        const items = depth(group.length, suspects.length);
        const packed = (await packedBySource.get(first.source))?.get(first.topic) ?? [];
        for await (const { item } of lastStored(first.topic, group, items, packed)) {
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

/** Messages of segments as the items that they would be, by topic and in the order in which these are read. */
function newestFirst(messages: readonly Message[]): Map<string, Item[]> {
  const byTopic = new Map<string, Item[]>();
  const sorted = messages
    .map((message) => ({ message, key: messageSortKey(message) }))
    .sort((a, b) => compareSortKeys(b.key, a.key));
  for (const { message } of sorted) {
    const items = byTopic.get(message.topic);
    // When they expire is of no importance here.
    const item = messageItem(message, { expiresAtSeconds: 0 });
    if (items === undefined) byTopic.set(message.topic, [item]);
    else items.push(item);
  }
  return byTopic;
}

async function* stepsOf(items: readonly Item[]): Steps {
  for (const item of items) yield { key: textAt(item, 'sk'), item };
  return true;
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
 * share in this batch is the estimate, taken four times and never below `minItems`.
 */
function depth(suspectsOfTopic: number, suspects: number): number {
  const share = Math.ceil((4 * window * suspectsOfTopic) / suspects);
  return Math.min(maxItems, Math.max(minItems, share));
}

/** The share of each shard, and a half more, as ids do not spread evenly. */
function shareOf(items: number, shards: number): number {
  return shards === 1 ? items : Math.ceil((1.5 * items) / shards) + 20;
}

interface Filter {
  readonly expression: string;
  readonly values: Item;
}

function filterAnd({ expression, values }: Filter, condition: string, since: string): Filter {
  return {
    expression: `${expression} AND ${condition}`,
    values: { ...values, ':since': { S: since } },
  };
}

async function* oneAfterTheOther(first: Steps, second: Steps): Steps {
  yield* first;
  return yield* second;
}

/** Leaves out on the server what cannot match, so that a long look-back moves few bytes. */
function filterOf(suspects: readonly Message[]): Filter {
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
