// Reads who is online, in the order of client ids out of all partitions, and the history of one client.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { itemBytes } from '../../contract/chunks.ts';
import { maxKeyTopicBytes } from '../../contract/item.ts';
import {
  concatSteps,
  mergeSteps,
  type ReadOptions,
  readPartition,
  type SortKeyRange,
  unexpired,
} from '../../contract/partition.ts';
import type { PresenceState, PresenceStatus } from '../../contract/presence.ts';
import {
  clientKey,
  hashedPrefix,
  presenceEventsPartition,
  presenceOf,
  presencePartition,
  presenceRecordOf,
  presenceShards,
  type RecordEntry,
} from '../../contract/presence-item.ts';
import { literalPrefix, matchesFilter } from '../../contract/topic.ts';
import { collectPage, maxQueriesPerPage, type Page } from '../interface/page.ts';
import { presenceFilter, presenceTopic } from './rights.ts';

export interface PresenceSelection {
  /** Topic filter that client ids are matched with. */
  readonly filter: string;
  readonly status?: PresenceStatus | undefined;
  readonly limit: number;
  /** Whether the caller may know of a client; the others are passed over. */
  readonly isVisible: (clientId: string) => boolean;
}

export interface PresenceEventSelection {
  readonly clientId: string;
  /** First time that belongs to the answer: RFC 3339, UTC, microseconds. */
  readonly from?: string | undefined;
  /** First time that no longer does. */
  readonly to?: string | undefined;
  readonly limit: number;
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

/** No client id has this noncharacter, and none sorts behind it. */
const lastCharacter = '\u{10ffff}';

export function createPresenceReader(options: PresenceReaderOptions): PresenceReader {
  const { client, tableName, now = Date.now } = options;
  const source = { client, tableName };

  function clients(selection: PresenceSelection, after?: string): Promise<Page<PresenceState>> {
    const { filter, status, limit, isVisible } = selection;
    const { values } = unexpired(now());
    const isStatus = status === undefined ? '' : ' AND #status = :status';
    const options: ReadOptions = {
      mostQueries: maxQueriesPerPage,
      // A partition has its share of a page, more or less: twice that is seldom not enough.
      firstItems: Math.ceil((2 * (limit + 1)) / presenceShards),
      filter: {
        // Who is online never expires.
        expression: `(attribute_not_exists(expiresAt) OR expiresAt > :now)${isStatus}`,
        values: { ...values, ...(status !== undefined && { ':status': { S: status } }) },
      },
      ...(status !== undefined && { names: { '#status': 'status' } }),
    };
    const ranges = rangesOf(filter, after).map((range) => {
      const shards = Array.from({ length: presenceShards }, (_, shard) =>
        readPartition(source, presencePartition(shard), range, options),
      );
      return mergeSteps(shards, false);
    });
    const wanted = presenceFilter(filter);
    return collectPage(concatSteps(ranges), {
      limit,
      pick(item) {
        const state = presenceOf(item);
        const { clientId } = state;
        return matchesFilter(wanted, presenceTopic(clientId)) && isVisible(clientId)
          ? state
          : undefined;
      },
      bytesOf: itemBytes,
    });
  }

  function events(selection: PresenceEventSelection, after?: string): Promise<Page<RecordEntry>> {
    const { clientId, from, to, limit } = selection;
    // Sort keys are `time#event`: a bare time sorts before all of its moment, so `to` is left out.
    const range = { low: from ?? '0', high: to ?? '9', newestFirst: true, after };
    const steps = readPartition(source, presenceEventsPartition(clientId), range, {
      mostQueries: maxQueriesPerPage,
      firstItems: limit + 1,
      filter: unexpired(now()),
    });
    return collectPage(steps, { limit, pick: presenceRecordOf, bytesOf: itemBytes });
  }

  return { clients, events };
}

/** The ranges of keys that hold what a filter matches, in the order they are read, behind `after`. */
function rangesOf(filter: string, after: string | undefined): SortKeyRange[] {
  if (!/[+#]/.test(filter)) {
    const key = clientKey(filter);
    return [{ low: key, high: key, newestFirst: false, after }];
  }
  const prefix = literalPrefix(filter);
  if (prefix === '') return [{ low: ' ', high: lastCharacter, newestFirst: false, after }];
  // No prefix leads to ids that are hashed.
  const hashed = { low: hashedPrefix, high: `${hashedPrefix}${lastCharacter}`, newestFirst: false };
  if (after?.startsWith(hashedPrefix)) return [{ ...hashed, after }];
  if (Buffer.byteLength(prefix) > maxKeyTopicBytes) return [hashed];
  return [{ low: prefix, high: `${prefix}${lastCharacter}`, newestFirst: false, after }, hashed];
}
