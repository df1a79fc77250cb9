// Reads who is online, in the order of client ids out of all partitions, and the history of one client.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { PresenceState, PresenceStatus } from '../../contract/presence.ts';
import { matchesFilter } from '../../contract/topic.ts';
import { itemBytes } from '../../table/chunks.ts';
import { rangesOfFilters } from '../../table/filter-ranges.ts';
import { type ReadOptions, readPartition, unexpired } from '../../table/partition.ts';
import {
  clientKey,
  presenceEventsPartition,
  presenceOf,
  presencePartition,
  presenceRecordOf,
  presenceShards,
  type RecordEntry,
} from '../../table/presence-item.ts';
import type { ReadBudget } from '../../table/read-budget.ts';
import { concatSteps, mergeSteps } from '../../table/steps.ts';
import { collectPage, maxQueriesPerPage, type Page } from '../interface/page.ts';
import { clientFilter, presenceTopic } from './rights.ts';

export interface PresenceSelection {
  /** Filters of the topics that stand for clients: what the caller asked for, as far as the caller may know of it. */
  readonly filters: readonly string[];
  readonly budget: ReadBudget;
  readonly status?: PresenceStatus | undefined;
  readonly limit: number;
  /** Whether the caller may know of the client that a topic stands for. */
  readonly isVisible: (topic: string) => boolean;
}

export interface PresenceEventSelection {
  readonly clientId: string;
  /** First time that belongs to the answer: RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  /** First time that no longer does. */
  readonly to?: string | undefined;
  readonly limit: number;
  readonly budget: ReadBudget;
}

export interface PresenceReader {
  /** By client id; those too long for a key come among the others by their hash, or last where the filter has a prefix. */
  clients(selection: PresenceSelection, after?: string): Promise<Page<PresenceState>>;
  /** Newest first. */
  events(selection: PresenceEventSelection, after?: string): Promise<Page<RecordEntry>>;
}

export interface PresenceReaderOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly now?: () => number;
}

export function createPresenceReader(options: PresenceReaderOptions): PresenceReader {
  const { client, tableName, now = Date.now } = options;
  const source = { client, tableName };

  function clients(selection: PresenceSelection, after?: string): Promise<Page<PresenceState>> {
    const { filters, status, limit, isVisible, budget } = selection;
    const { values } = unexpired(now());
    const isStatus = status === undefined ? '' : ' AND #status = :status';
    const options: ReadOptions = {
      maxQueries: maxQueriesPerPage,
      budget,
      // A partition has its share of a page, more or less: twice that is seldom not enough.
      firstItems: Math.ceil((2 * (limit + 1)) / presenceShards),
      filter: {
        // Who is online never expires.
        expression: `(attribute_not_exists(expiresAt) OR expiresAt > :now)${isStatus}`,
        values: { ...values, ...(status !== undefined && { ':status': { S: status } }) },
      },
      ...(status !== undefined && { names: { '#status': 'status' } }),
    };
    const ranges = rangesOfFilters(filters.map(clientFilter), after, clientKey);
    const parts = ranges.map((range) => {
      const shards = Array.from({ length: presenceShards }, (_, shard) =>
        readPartition(source, presencePartition(shard), range, options),
      );
      return { steps: mergeSteps(shards, false), end: range.high };
    });
    return collectPage(concatSteps(parts), {
      limit,
      pick(item) {
        const state = presenceOf(item);
        const topic = presenceTopic(state.clientId);
        const isWanted = filters.some((filter) => matchesFilter(filter, topic));
        return isWanted && isVisible(topic) ? state : undefined;
      },
      bytesOf: itemBytes,
    });
  }

  function events(selection: PresenceEventSelection, after?: string): Promise<Page<RecordEntry>> {
    const { clientId, from, to, limit, budget } = selection;
    // Sort keys are `time#event`: a bare time sorts before all of its moment, so `to` is left out.
    const range = { low: from ?? '0', high: to ?? '9', newestFirst: true, after };
    const steps = readPartition(source, presenceEventsPartition(clientId), range, {
      maxQueries: maxQueriesPerPage,
      firstItems: limit + 1,
      budget,
      filter: unexpired(now()),
    });
    return collectPage(steps, { limit, pick: presenceRecordOf, bytesOf: itemBytes });
  }

  return { clients, events };
}
