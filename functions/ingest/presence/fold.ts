// Folds the events of a batch into the states of their clients: read, reduce, record, write; and again for those that
// somebody else wrote in between.
import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { fullJitterMs } from '../../contract/backoff.ts';
import type { Message } from '../../contract/message.ts';
import { mapInParallel } from '../../contract/parallel.ts';
import { nextPresence, type PresenceState } from '../../contract/presence.ts';
import type { PresenceFeed } from '../../contract/presence-feed.ts';
import type { ClientChange, ItemFailure } from '../../contract/receipt.ts';
import { getBatch } from '../../table/batch-get.ts';
import { putBatch } from '../../table/batch-write.ts';
import { conditionHeld } from '../../table/conditional-write.ts';
import { type Item, textAt } from '../../table/item.ts';
import {
  presenceItem,
  presenceKey,
  presenceOf,
  presenceRecordItem,
  revisionOf,
} from '../../table/presence-item.ts';
import { type ClientEvents, parseBatch } from './parse.ts';

export interface PresenceFoldOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Calls to DynamoDB in flight at once. */
  readonly concurrency: number;
  readonly now: () => number;
}

/**
 * Folds presence messages into the states; resolves with the messages whose clients could not be written, and those
 * that are not understood. Rejects never for a lost database. After the deadline nothing is tried again.
 */
export type FoldPresence = (
  messages: readonly Message[],
  feed: PresenceFeed,
  retentionDays: number,
  deadlineMs: number,
  /** Told of the clients whose status is another one now. */
  onClients?: (changes: readonly ClientChange[]) => void,
) => Promise<ItemFailure[]>;

/** What the events of a batch change of one client. */
interface Change {
  readonly client: ClientEvents;
  readonly records: readonly Item[];
  /** The next revision of the state, put where the one before it is still there; absent where it stays. */
  readonly next?: { readonly item: Item; readonly revision: number };
  /** Where the status is another one than before. */
  readonly moved?: ClientChange;
}

type Outcome = 'written' | 'conflict' | 'failed';

/** BatchWriteItem takes 25 puts. */
const maxPuts = 25;
/** Other instances write other clients, most of the time: so many conflicts in a row are a hot client. */
const maxTries = 8;

export function createPresenceFold(options: PresenceFoldOptions): FoldPresence {
  const { client, tableName, concurrency, now } = options;

  /** The items of the clients' states, or undefined where the database does not give them. */
  async function currentItems(clients: readonly ClientEvents[]): Promise<Item[] | undefined> {
    const keys = clients.map(({ clientId }) => presenceKey(clientId));
    return getBatch({ client, tableName }, keys).catch(() => undefined);
  }

  /** Writes the records; gives those that were not written. */
  async function putRecords(items: readonly Item[], deadlineMs: number): Promise<Set<Item>> {
    const calls = Array.from({ length: Math.ceil(items.length / maxPuts) }, (_, call) =>
      items.slice(call * maxPuts, (call + 1) * maxPuts),
    );
    const unput = await mapInParallel(calls, concurrency, (call) =>
      putBatch(call, { client, tableName, deadlineMs, now }),
    );
    return new Set(unput.flatMap(({ items: left }) => left));
  }

  async function putState({ next }: Change): Promise<Outcome> {
    if (next === undefined) return 'written';
    const putting = conditionHeld(
      client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: next.item,
          // The time to live may have ended meanwhile: then it is as if the client were new.
          ConditionExpression: 'attribute_not_exists(pk) OR revision = :before',
          ExpressionAttributeValues: { ':before': { N: String(next.revision - 1) } },
        }),
      ),
    );
    return putting.then(
      (isWritten) => (isWritten ? 'written' : 'conflict'),
      () => 'failed',
    );
  }

  /** Tries all clients once, and says what became of each. */
  async function attempt(
    clients: readonly ClientEvents[],
    retentionDays: number,
    deadlineMs: number,
    moved: ClientChange[],
  ): Promise<Record<Outcome, ClientEvents[]>> {
    const result: Record<Outcome, ClientEvents[]> = { written: [], conflict: [], failed: [] };
    const items = await currentItems(clients);
    if (items === undefined) return { ...result, failed: [...clients] };
    const current = new Map(items.map((item) => [presenceOf(item).clientId, item]));
    const changes = clients.map((one) => changeOf(one, current.get(one.clientId), retentionDays));
    // The records first: once the state has counted an event, nobody would record it any more.
    const missing = await putRecords(
      changes.flatMap(({ records }) => records),
      deadlineMs,
    );
    await mapInParallel(changes, concurrency, async (change) => {
      const isRecorded = !change.records.some((record) => missing.has(record));
      const outcome = isRecorded ? await putState(change) : 'failed';
      result[outcome].push(change.client);
      if (outcome === 'written' && change.moved !== undefined) moved.push(change.moved);
    });
    return result;
  }

  return async (messages, feed, retentionDays, deadlineMs, onClients) => {
    const moved: ClientChange[] = [];
    const { clients, refused } = parseBatch(messages, feed);
    const failures = [...refused];
    const fail = (failed: readonly ClientEvents[], reason: string) => {
      for (const itemIdentifier of failed.flatMap(({ ids }) => ids))
        failures.push({ itemIdentifier, reason, retryable: true });
    };
    let left: readonly ClientEvents[] = clients;
    for (let tries = 1; left.length > 0; tries++) {
      const { conflict, failed } = await attempt(left, retentionDays, deadlineMs, moved);
      fail(failed, 'DynamoDB did not give or take the state of the client');
      left = conflict;
      if (left.length > 0 && (tries === maxTries || now() > deadlineMs)) {
        fail(left, 'others wrote the state of the client at the same time');
        break;
      }
      if (left.length > 0) await delay(fullJitterMs(tries, 10, 500));
    }
    if (moved.length > 0) onClients?.(moved);
    return failures;
  };
}

function changeOf(client: ClientEvents, current: Item | undefined, retentionDays: number): Change {
  const before = current && presenceOf(current);
  let state: PresenceState | undefined = before;
  // By key: of one that is there twice, BatchWriteItem would refuse the whole call.
  const byKey = new Map<string, Item>();
  for (const event of client.events) {
    const folded = nextPresence(state, event);
    state = folded.state;
    for (const record of folded.records) {
      const item = presenceRecordItem(record, retentionDays);
      byKey.set(textAt(item, 'sk'), item);
    }
  }
  const records = [...byKey.values()];
  if (state === undefined || state === before) return { client, records };
  const revision = revisionOf(current) + 1;
  return {
    client,
    records,
    ...(state.status !== before?.status && { moved: changeTo(state) }),
    next: { item: presenceItem(state, revision, retentionDays), revision },
  };
}

function changeTo({ clientId, status, since, reason }: PresenceState): ClientChange {
  return { clientId, status, since, ...(reason !== undefined && { reason }) };
}
