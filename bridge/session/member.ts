// One session of a route under its lease: waits for the lease, holds the session, gives both back.
import type { Logger } from 'pino';
import { untilAborted } from '../aborted.ts';
import type { Lease } from '../lease.ts';
import { Session, type SessionOptions, type SessionState } from './session.ts';

/** Waits for the lease of a client id; undefined when `signal` aborts first. */
export type Acquire = (
  clientId: string,
  log: Logger,
  signal: AbortSignal,
) => Promise<Lease | undefined>;

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
  acquire: Acquire | undefined,
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
    await untilAborted(lease.lost, stop.signal);
    await held.close();
    session = undefined;
    await lease.release();
  }

  async function run(acquireNext: Acquire): Promise<void> {
    while (!stop.signal.aborted) {
      const lease = await acquireNext(options.clientId, log, stop.signal);
      if (lease !== undefined) await holdSession(lease);
    }
  }

  const running = acquire === undefined ? void open() : run(acquire);

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
