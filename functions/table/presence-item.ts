// Presence as items of the table: the state of each client, spread over a few partitions, and the history of each.
import { createHash } from 'node:crypto';
import type {
  Place,
  PresenceRecord,
  PresenceSource,
  PresenceState,
  PresenceStatus,
} from '../contract/presence.ts';
import { type Item, maxKeyTopicBytes, shardOf, textAt } from './item.ts';

/** Partitions of the states: each takes 1,000 writes a second, and thousands of clients may connect at once. */
export const presenceShards = 8;

/** The partition of a shard, 0 to {@link presenceShards} − 1. */
export function presencePartition(shard: number): string {
  return `presence/${shard}`;
}

/** What a long client id, or one that looks like this, stands under: `#` and its hash. */
export const hashedPrefix = '#';

/**
 * A client id as part of a key: itself, or `#` and its hash where it is too long. An id may begin with `#` too: it is
 * then hashed as well, so that no id can be made that stands for another one.
 */
export function clientKey(clientId: string): string {
  if (!clientId.startsWith(hashedPrefix) && Buffer.byteLength(clientId) <= maxKeyTopicBytes)
    return clientId;
  return `${hashedPrefix}${createHash('sha256').update(clientId).digest('base64url')}`;
}

/** Key of a client's state. */
export function presenceKey(clientId: string): { pk: { S: string }; sk: { S: string } } {
  return {
    pk: { S: presencePartition(shardOf(clientId, presenceShards)) },
    sk: { S: clientKey(clientId) },
  };
}

const daySeconds = 86_400;

function expiresAt(at: string, retentionDays: number): Item {
  return {
    expiresAt: { N: String(Math.floor(Date.parse(at) / 1000) + retentionDays * daySeconds) },
  };
}

/**
 * The item of a state, as its `revision`-th. A client that has been offline for longer than the retention is forgotten;
 * one that is online never, as nothing need be heard of it for years.
 */
export function presenceItem(state: PresenceState, revision: number, retentionDays: number): Item {
  const { clientId, status, since, lastEventAt, place, reason, damping, unrecorded } = state;
  return {
    ...presenceKey(clientId),
    clientId: { S: clientId },
    status: { S: status },
    since: { S: since },
    lastEventAt: { S: lastEventAt },
    source: { S: place.source },
    connection: { N: String(place.connection) },
    step: { N: String(place.step) },
    placeAt: { S: place.at },
    ...(reason !== undefined && { reason: { S: reason } }),
    penalty: { N: damping.penalty.toFixed(6) },
    flaps: { N: String(damping.flaps) },
    flapping: { BOOL: damping.flapping },
    restlessAt: { S: damping.at },
    unrecorded: { N: String(unrecorded) },
    revision: { N: String(revision) },
    ...(status === 'offline' && expiresAt(since, retentionDays)),
  };
}

/** The state that an item holds. Throws where it is none: that is a bug or a foreign write. */
export function presenceOf(item: Item): PresenceState {
  const reason = item['reason']?.S;
  return {
    clientId: textAt(item, 'clientId'),
    status: textAt(item, 'status') as PresenceStatus,
    since: textAt(item, 'since'),
    lastEventAt: textAt(item, 'lastEventAt'),
    place: {
      source: textAt(item, 'source') as PresenceSource,
      connection: Number(item['connection']?.N),
      step: Number(item['step']?.N) as Place['step'],
      at: textAt(item, 'placeAt'),
    },
    ...(reason !== undefined && { reason }),
    damping: {
      penalty: Number(item['penalty']?.N),
      flaps: Number(item['flaps']?.N),
      flapping: item['flapping']?.BOOL ?? false,
      at: textAt(item, 'restlessAt'),
    },
    unrecorded: Number(item['unrecorded']?.N),
  };
}

/** Which of a state's writes an item is; 0 where there is none. */
export function revisionOf(item: Item | undefined): number {
  return Number(item?.['revision']?.N ?? 0);
}

/** Partition of a client's history. */
export function presenceEventsPartition(clientId: string): string {
  return `presence-events/${clientKey(clientId)}`;
}

/** The item of a record: the same for every copy of one event, whichever message it came in. */
export function presenceRecordItem(record: PresenceRecord, retentionDays: number): Item {
  const { clientId, at, event, connection, reason, unrecorded } = record;
  return {
    pk: { S: presenceEventsPartition(clientId) },
    sk: { S: `${at}#${event}#${connection}` },
    event: { S: event },
    ...(reason !== undefined && { reason: { S: reason } }),
    ...(unrecorded !== undefined && { unrecorded: { N: String(unrecorded) } }),
    ...expiresAt(at, retentionDays),
  };
}

/** A record as a reader sees it; whose it is, is known from where it was read. */
export type RecordEntry = Pick<PresenceRecord, 'at' | 'event' | 'reason' | 'unrecorded'>;

/** The record that an item holds. */
export function presenceRecordOf(item: Item): RecordEntry {
  const reason = item['reason']?.S;
  const unrecorded = item['unrecorded']?.N;
  return {
    at: textAt(item, 'sk').split('#')[0] ?? '',
    event: textAt(item, 'event') as PresenceRecord['event'],
    ...(reason !== undefined && { reason }),
    ...(unrecorded !== undefined && { unrecorded: Number(unrecorded) }),
  };
}
