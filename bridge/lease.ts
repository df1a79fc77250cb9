// Leases: who may use a client id. One holder at a time, a standby takes over when the holder releases it or
// has not renewed it for the lease's time.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Logger } from 'pino';

/** Partition of all leases; the sort key is the client id. */
const leasePartition = 'lease';

export interface LeaseOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clientId: string;
  /** How long a lease lasts without renewal. */
  readonly leaseMs: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** A lease that is held. */
export interface Lease {
  /** Aborts when the lease may run out before it is renewed: the client id must not be used any more. */
  readonly lost: AbortSignal;
  /** Lets the next one have it at once. */
  release(): Promise<void>;
}

/** How often a standby looks: a clean stop hands over within a second. */
const pollMs = 400;

/**
 * Waits until the lease is ours; undefined when `signal` aborts first.
 *
 * Nobody's wall clock is compared with another's: each renewal writes a new version, and whoever has seen the
 * same version for the whole time of the lease, by its own clock, may replace it. The holder counts from before
 * it sent its renewal, so it stops first.
 */
export async function acquireLease(options: LeaseOptions): Promise<Lease | undefined> {
  const { clientId, leaseMs, log, signal } = options;
  let seen: { version: string; sinceMs: number } | undefined;
  while (!signal.aborted) {
    try {
      const version = await readVersion(options);
      const nowMs = performance.now();
      if (version !== undefined && seen?.version !== version) {
        if (seen === undefined)
          log.info({ clientId }, 'another bridge holds the session: standing by');
        seen = { version, sinceMs: nowMs };
      }
      if (version === undefined || (seen !== undefined && nowMs - seen.sinceMs > leaseMs)) {
        const next = randomUUID();
        const sinceMs = performance.now();
        if (await replace(options, version === undefined ? [] : [version], next)) {
          log.info({ clientId }, 'lease acquired');
          return hold(options, next, sinceMs);
        }
        seen = undefined;
      }
    } catch (error) {
      log.warn({ clientId, reason: String(error) }, 'the lease table does not answer');
    }
    await delay(pollMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
  }
  return undefined;
}

function keyOf(clientId: string) {
  return { pk: { S: leasePartition }, sk: { S: clientId } };
}

/** The version in the table now; undefined where nobody holds the lease. */
async function readVersion({
  client,
  tableName,
  clientId,
}: LeaseOptions): Promise<string | undefined> {
  const { Item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: keyOf(clientId), ConsistentRead: true }),
  );
  return Item?.['version']?.S;
}

/** Writes version `next` in place of one of `expected`, or of none; false where somebody else was faster. */
async function replace(
  options: LeaseOptions,
  expected: readonly string[],
  next: string,
): Promise<boolean> {
  const { client, tableName, clientId } = options;
  try {
    await client.send(
      new PutItemCommand({
        TableName: tableName,
        Item: { ...keyOf(clientId), version: { S: next } },
        ...(expected.length === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : isOneOf(expected)),
      }),
    );
    return true;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // The SDK repeats a call whose answer was lost: the version that is in the way may be this very one.
    return (await readVersion(options)) === next;
  }
}

/** The condition that the lease has one of these versions. */
function isOneOf(versions: readonly string[]) {
  const names = versions.map((_, index) => `:version${index}`);
  return {
    ConditionExpression: `version IN (${names.join(', ')})`,
    ExpressionAttributeValues: Object.fromEntries(
      versions.map((version, index) => [`:version${index}`, { S: version }]),
    ),
  };
}

/** Renews a lease until it is released or lost. `sinceMs` is from before it was written. */
function hold(options: LeaseOptions, firstVersion: string, sinceMs: number): Lease {
  const { client, tableName, clientId, leaseMs, log } = options;
  const lost = new AbortController();
  const released = new AbortController();
  /** The version in the table; several after a renewal whose answer never came. */
  let versions = [firstVersion];
  // A quarter of the time is for the session to end before anybody else may begin.
  let deadlineMs = sinceMs + leaseMs * 0.75;

  const lose = (reason: string) => {
    if (lost.signal.aborted || released.signal.aborted) return;
    log.error({ clientId, reason }, 'lease lost: closing the session');
    lost.abort();
  };
  let watchdog: NodeJS.Timeout;
  const watch = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(
      () => lose('it could not be renewed in time'),
      Math.max(0, deadlineMs - performance.now()),
    );
  };
  watch();

  async function renew(): Promise<void> {
    while (!released.signal.aborted && !lost.signal.aborted) {
      await delay(leaseMs / 4, undefined, { signal: released.signal }).catch(() => {});
      if (released.signal.aborted) return;
      const startedMs = performance.now();
      const next = randomUUID();
      try {
        if (!(await replace(options, versions, next))) return lose('another bridge has taken it');
        versions = [next];
        deadlineMs = startedMs + leaseMs * 0.75;
        watch();
      } catch (error) {
        // Written or not: the next renewal has to expect both. The lease runs out before there are many.
        versions.push(next);
        log.warn({ clientId, reason: String(error) }, 'the lease could not be renewed');
      }
    }
  }
  const renewing = renew();

  return {
    lost: lost.signal,
    async release() {
      released.abort();
      clearTimeout(watchdog);
      await renewing;
      if (lost.signal.aborted) return;
      await client
        .send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: keyOf(clientId),
            ...isOneOf(versions),
          }),
        )
        // It runs out by itself.
        .catch((error) =>
          log.warn({ clientId, reason: String(error) }, 'the lease could not be released'),
        );
    },
  };
}
