// What the bridge counts and measures of commands.
import { Counter, Gauge, type Registry } from 'prom-client';

/** What is counted of commands. */
export interface CommandCounters {
  readonly results: Record<'sent' | 'answered' | 'failed' | 'expired', number>;
  /** Messages on response topics that answered nothing: late, doubled or forged. */
  repliesDropped: number;
  /** Commands whose reply is no longer awaited, as their caller awaits too many others. */
  repliesNotAwaited: number;
}

export interface CommandGauges {
  /** Commands found in the queue that are not settled. */
  readonly waiting: number;
  /** Publishes that are not acknowledged. */
  readonly inFlight: number;
}

export function registerCommands(
  registers: Registry[],
  gauges: () => CommandGauges,
): CommandCounters {
  const counters: CommandCounters = {
    results: { sent: 0, answered: 0, failed: 0, expired: 0 },
    repliesDropped: 0,
    repliesNotAwaited: 0,
  };
  new Counter({
    name: 'causeway_commands_total',
    help: 'Commands by what became of them',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(counters.results)) this.inc({ result }, count);
    },
  });
  new Counter({
    name: 'causeway_replies_unused_total',
    help: 'Replies that answered no command (dropped), and commands whose reply is no longer awaited, as their caller awaits too many others (not_awaited)',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      this.inc({ reason: 'dropped' }, counters.repliesDropped);
      this.inc({ reason: 'not_awaited' }, counters.repliesNotAwaited);
    },
  });
  new Gauge({
    name: 'causeway_commands_waiting',
    help: 'Commands found in the queue that are not settled',
    registers,
    collect() {
      this.set(gauges().waiting);
    },
  });
  new Gauge({
    name: 'causeway_commands_in_flight',
    help: 'Publishes that the broker has not acknowledged',
    registers,
    collect() {
      this.set(gauges().inFlight);
    },
  });
  return counters;
}
