// Commands of a bridge: dispatched by the one bridge that has their lease, while any other stands by.
import type { Logger } from 'pino';
import type { DeliverRequest, Outcome } from '../../functions/contract/command.ts';
import { untilAborted } from '../aborted.ts';
import type { Broker } from '../broker/access.ts';
import type { CommandsConfig } from '../config.ts';
import type { Lease } from '../lease.ts';
import type { Metrics } from '../metrics.ts';
import type { Acquire } from '../session/member.ts';
import { Dispatch } from './dispatch.ts';
import type { Ledger } from './ledger.ts';

export interface Commands {
  /** What keeps commands from leaving, in words; undefined while they do, and while this bridge stands by. */
  problem(): string | undefined;
  /**
   * Has commands sent that are in the queue, and resolves with their outcomes in the same order: when each has reached
   * what it waits for, or at the timeout. Undefined where this bridge stands by or stops.
   */
  deliver(request: DeliverRequest): Promise<Outcome[] | undefined>;
  /** Takes no more commands, settles those in flight until `signal` aborts, and releases the lease. */
  drain(signal: AbortSignal): Promise<void>;
}

export interface CommandsOptions {
  readonly broker: Broker;
  readonly commands: CommandsConfig;
  readonly ledger: Ledger;
  /** Absent where there is one bridge. */
  readonly acquire: Acquire | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function startCommands(options: CommandsOptions): Commands {
  const { broker, commands, ledger, acquire, metrics, log } = options;
  const stop = new AbortController();
  let dispatch: Dispatch | undefined;
  let drainSignal = AbortSignal.abort();
  const counters = metrics.commands(() => ({
    waiting: dispatch?.waiting ?? 0,
    inFlight: dispatch?.inFlight ?? 0,
  }));
  const open = () => new Dispatch({ broker, commands, ledger, counters, log });

  /** Dispatches for as long as the lease lasts. */
  async function holdLease(lease: Lease): Promise<void> {
    const held = open();
    dispatch = held;
    await untilAborted(lease.lost, stop.signal);
    dispatch = undefined;
    // Without the lease another bridge may begin: no time to wait for what is in flight.
    await (lease.lost.aborted ? held.close() : closeUnlessLost(held, lease));
    await lease.release();
  }

  async function closeUnlessLost(held: Dispatch, lease: Lease): Promise<void> {
    const ending = new AbortController();
    for (const signal of [lease.lost, drainSignal]) {
      if (signal.aborted) ending.abort();
      signal.addEventListener('abort', () => ending.abort(), { once: true });
    }
    await held.drain(ending.signal);
  }

  async function run(acquireNext: Acquire): Promise<void> {
    while (!stop.signal.aborted) {
      const lease = await acquireNext(`${broker.clientIdPrefix}-commands`, log, stop.signal);
      if (lease !== undefined) await holdLease(lease);
    }
  }

  if (acquire === undefined) dispatch = open();
  const running = acquire === undefined ? undefined : run(acquire);

  return {
    problem: () =>
      dispatch === undefined || dispatch.connected
        ? undefined
        : 'publisher: not connected to the broker',
    deliver: async (request) => dispatch?.deliver(request),
    async drain(signal) {
      drainSignal = signal;
      stop.abort();
      if (running === undefined) {
        const held = dispatch;
        dispatch = undefined;
        await held?.drain(signal);
      } else await running;
    },
  };
}
