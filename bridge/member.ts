// One session of a route under its lease: waits for the lease, holds the session, gives both back.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Logger } from 'pino';
import { acquireLease, type Lease } from './lease.ts';
import { Session, type SessionOptions, type SessionState } from './session.ts';

/** Where leases are kept; without it there is one bridge, and every session is its own. */
export interface LeaseConfig {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly leaseMs: number;
}

export type MemberState = SessionState | { readonly kind: 'standby' };

export interface Member {
  state(): MemberState;
  /** Messages taken from the broker that are not settled. */
  unsettled(): number;
  /** Takes no more messages; what is in flight can still be settled. */
  stopReading(): void;
  /** Acknowledges what is settled, disconnects, and releases the lease. */
  close(): Promise<void>;
}

export function startMember(
  options: SessionOptions,
  leases: LeaseConfig | undefined,
  log: Logger,
): Member {
  const stop = new AbortController();
  let reading = true;
  let session: Session | undefined;

  function open(): Session {
    session = new Session(options);
    if (!reading) session.stopReading();
    return session;
  }

  /** Holds the session for as long as the lease lasts. */
  async function holdSession(lease: Lease): Promise<void> {
    const held = open();
    const over = AbortSignal.any([lease.lost, stop.signal]);
    if (!over.aborted)
      await new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }));
    await held.close();
    session = undefined;
    await lease.release();
  }

  async function run(leaseConfig: LeaseConfig): Promise<void> {
    while (!stop.signal.aborted) {
      const lease = await acquireLease({
        ...leaseConfig,
        clientId: options.clientId,
        log,
        signal: stop.signal,
      });
      if (lease !== undefined) await holdSession(lease);
    }
  }

  const running = leases === undefined ? void open() : run(leases);

  return {
    state: () => session?.state ?? { kind: 'standby' },
    unsettled: () => session?.unsettled ?? 0,
    stopReading() {
      reading = false;
      session?.stopReading();
    },
    async close() {
      stop.abort();
      if (running === undefined) await session?.close();
      else await running;
    },
  };
}
