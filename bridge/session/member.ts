// One session of a route under its lease: waits for the lease, holds the session, gives both back.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import { untilAborted } from '../base/aborted.ts';
import type { Delivery } from '../base/delivery.ts';
import type { Lease } from '../base/lease.ts';
import { type Acquire, endsOf, whileLeased } from '../base/leased.ts';
import { Session, type SessionOptions } from './session.ts';
import type { SessionClock } from './session-clock.ts';
import type { SessionState } from './session-state.ts';
import type { Subscriber } from './subscriber.ts';

export type MemberState = SessionState | { readonly kind: 'standby' };

export interface MemberOptions
  extends Omit<SessionOptions, 'subscriber' | 'receiptClock' | 'onDelivery'> {
  readonly clock: SessionClock;
  /** What knows the session's subscriptions; undefined when `signal` aborts first. */
  readonly openSubscriber: (signal: AbortSignal) => Promise<Subscriber | undefined>;
  /** Where the messages of a session with this subscriber go. */
  readonly deliverTo: (subscriber: Subscriber) => (delivery: Delivery) => void;
  /** Time to settle what is in flight, where another bridge is to have the session: after it, it stays. Ten seconds by default. */
  readonly settleMs?: number | undefined;
}

export interface Member {
  state(): MemberState;
  warnings(): readonly string[];
  /** Messages taken from the broker that are not settled. */
  unsettled(): number;
  /** Whether no message can come before others are settled. */
  isStalled(): boolean;
  /** Messages without PUBACK, the settled ones that wait for others among them. */
  unacknowledged(): number;
  /** When the oldest of these came, by the clock of `performance.now()`; undefined where there is none. */
  oldestArrivedMs(): number | undefined;
  /** Takes no more messages; what is in flight can still be settled. */
  stopReading(): void;
  /** Acknowledges what is settled, disconnects, and releases the lease. */
  close(): Promise<void>;
}

const lookMs = 10;

/** Whether all that the session has taken is settled in time; it takes nothing more meanwhile. */
async function isSettled(session: Session, forMs: number, signal: AbortSignal): Promise<boolean> {
  session.stopReading();
  const untilMs = performance.now() + forMs;
  // A SUBSCRIBE without its answer would be told of as refused.
  const isBusy = () => session.unsettled > 0 || session.state.kind === 'connecting';
  while (isBusy() && performance.now() < untilMs && !signal.aborted) await pause(lookMs, signal);
  return session.unsettled === 0;
}

/** Without `acquire` there is one bridge, and the session is its own. */
export function startMember(
  options: MemberOptions,
  acquire: Acquire | undefined,
  log: Logger,
): Member {
  const { clock, settleMs = 10_000 } = options;
  const stop = new AbortController();
  let reading = true;
  let session: Session | undefined;
  let subscriber: Subscriber | undefined;
  let isStandby = acquire !== undefined;

  /** Holds the session for as long as the lease lasts. */
  async function holdSession(lease: Lease | undefined): Promise<void> {
    const ended = new AbortController();
    void untilAborted(...endsOf(lease, stop.signal)).then(() => ended.abort());
    [subscriber] = await Promise.all([options.openSubscriber(ended.signal), clock.resume()]);
    if (subscriber === undefined) return clock.stop();
    session = new Session({
      ...options,
      receiptClock: clock.receiptClock,
      subscriber,
      onDelivery: options.deliverTo(subscriber),
    });
    if (!reading) session.stopReading();
    await untilGiven(session, lease, ended.signal);
    clock.stop();
    await session.close();
    session = undefined;
    // The next one with the lease reads what this one has written.
    await subscriber.ended();
    if (lease?.lost.aborted !== true) await clock.end();
  }

  /** Resolves when the session has to end, or another bridge is to have it and nothing of it is in flight here. */
  async function untilGiven(held: Session, lease: Lease | undefined, ended: AbortSignal) {
    if (lease === undefined) return untilAborted(ended);
    while (!ended.aborted) {
      await untilAborted(ended, lease.recalled);
      if (ended.aborted || (await isSettled(held, settleMs, ended))) return;
      log.warn(
        { unsettledMessages: held.unsettled },
        'the session cannot move to another bridge: messages of it are not settled',
      );
      lease.keep();
      if (reading) held.readOn();
    }
  }

  const leased = { acquire, name: options.clientId, log, signal: stop.signal };
  const running = whileLeased(leased, async (lease) => {
    isStandby = false;
    await holdSession(lease);
    isStandby = acquire !== undefined;
  });

  return {
    state: () => session?.state ?? { kind: isStandby ? 'standby' : 'connecting' },
    warnings: () => (session === undefined ? [] : (subscriber?.warnings ?? [])),
    unsettled: () => session?.unsettled ?? 0,
    isStalled: () => session?.isStalled ?? false,
    unacknowledged: () => session?.unacknowledged ?? 0,
    oldestArrivedMs: () => session?.oldestArrivedMs,
    stopReading() {
      reading = false;
      session?.stopReading();
    },
    async close() {
      stop.abort();
      await running;
    },
  };
}
