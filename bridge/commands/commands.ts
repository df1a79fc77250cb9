// Commands of a bridge: dispatched by the one bridge that has their lease, while any other stands by.
import type { Logger } from 'pino';
import type { DeliverRequest, Outcome } from '../../functions/contract/command.ts';
import { untilAborted } from '../base/aborted.ts';
import { type Changes, unmarkedChanges } from '../base/change-watch.ts';
import type { Lease } from '../base/lease.ts';
import { type Acquire, endsOf, whileLeased } from '../base/leased.ts';
import type { CommandsConfig } from '../config/config.ts';
import type { Broker } from '../connection/access.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { CommandSpans } from './command-spans.ts';
import { Dispatch } from './dispatch.ts';
import type { Ledger } from './ledger.ts';

export interface Commands {
  /** What keeps commands from leaving, in words; undefined while they do, and while this bridge stands by. */
  problem(): string | undefined;
  /**
   * Has commands sent that are in the queue, and resolves with their outcomes in the same order: when each has reached
   * what it waits for, or at the timeout; `date` says when the request was sent. Undefined where this bridge stands by or stops.
   */
  deliver(request: DeliverRequest, date?: string): Promise<Outcome[] | undefined>;
  /** Takes no more commands, settles those in flight until `signal` aborts, and releases the lease. */
  drain(signal: AbortSignal): Promise<void>;
}

export interface CommandsOptions {
  readonly broker: Broker;
  readonly commands: CommandsConfig;
  readonly ledger: Ledger;
  /** Whether there is anything to look for; by default nobody tells. */
  readonly changes?: Changes | undefined;
  /** Absent where there is one bridge. */
  readonly acquire: Acquire | undefined;
  readonly metrics: Metrics;
  /** Absent where no spans are collected. */
  readonly spans?: CommandSpans | undefined;
  readonly log: Logger;
}

export function startCommands(options: CommandsOptions): Commands {
  const {
    broker,
    commands,
    ledger,
    changes = unmarkedChanges,
    acquire,
    metrics,
    spans,
    log,
  } = options;
  const stop = new AbortController();
  let dispatch: Dispatch | undefined;
  let drainSignal = AbortSignal.abort();
  const counters = metrics.commands(() => ({
    waiting: dispatch?.waiting ?? 0,
    inFlight: dispatch?.inFlight ?? 0,
  }));

  /** Dispatches for as long as the lease lasts. */
  async function hold(lease: Lease | undefined): Promise<void> {
    const held = new Dispatch({ broker, commands, ledger, changes, counters, spans, log });
    dispatch = held;
    await untilAborted(...endsOf(lease, stop.signal));
    dispatch = undefined;
    // Without the lease another bridge may begin: no time to wait for what is in flight.
    if (lease?.lost.aborted) return held.close();
    await held.drain(AbortSignal.any(endsOf(lease, drainSignal)));
  }

  const name = `${broker.clientIdPrefix}-commands`;
  const running = whileLeased({ acquire, name, log, signal: stop.signal }, hold);

  return {
    problem: () =>
      dispatch === undefined || dispatch.connected
        ? undefined
        : 'publisher: not connected to the broker',
    deliver: async (request, date) => dispatch?.deliver(request, date),
    async drain(signal) {
      drainSignal = signal;
      stop.abort();
      await running;
    },
  };
}
