// A dispatch over a broker that does as the test says, and over a real table whose calls can be made to fail.
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Changes, unmarkedChanges } from '../../../bridge/base/change-watch.ts';
import type { ApiClock } from '../../../bridge/commands/api-clock.ts';
import { Dispatch } from '../../../bridge/commands/dispatch.ts';
import { createLedger, type Ledger, type QueueEntry } from '../../../bridge/commands/ledger.ts';
import { parseConfig } from '../../../bridge/config/config.ts';
import type { CommandCounters } from '../../../bridge/metrics/command-metrics.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import type { FakeBroker } from '../fake-broker.ts';

export interface Setup {
  readonly table: TestTable;
  readonly dispatch: Dispatch;
  readonly counters: CommandCounters;
  /** Calls of the ledger that fail by now. */
  readonly failing: Set<keyof Ledger>;
  /** Waited for before each command is read. */
  beforeRead: (text: string) => Promise<void>;
}

export async function start(
  broker: Pick<FakeBroker, 'url'>,
  commands: { window?: number; ackTimeoutMs?: number; pollSeconds?: number } = {},
  given: { table?: TestTable; clock?: ApiClock; broker?: object; changes?: Changes } = {},
): Promise<Setup> {
  const table = given.table ?? (await startTable());
  const config = parseConfig({
    broker: { url: broker.url, ...given.broker },
    commands,
    routes: [{ name: 'store', filter: '#', url: 'http://handler.invalid' }],
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const counters: CommandCounters = {
    results: { sent: 0, answered: 0, failed: 0, expired: 0 },
    repliesDropped: 0,
    repliesNotAwaited: 0,
  };
  const failing = new Set<keyof Ledger>();
  const ledger = new Proxy(createLedger(table.client, table.tableName), {
    get: (target, name: keyof Ledger) => {
      if (failing.has(name)) return () => Promise.reject(new Error('the database is down'));
      if (name !== 'read') return target[name];
      return async (entry: QueueEntry) => {
        await setup.beforeRead(Buffer.from(entry.head['payload']?.B ?? []).toString());
        return target.read(entry);
      };
    },
  });
  const dispatch = new Dispatch({
    broker: config.value.broker,
    commands: config.value.commands,
    ledger,
    changes: given.changes ?? unmarkedChanges,
    counters,
    ...(given.clock !== undefined && { clock: given.clock }),
    log: pino({ level: 'silent' }),
  });
  onTestFinished(async () => {
    await dispatch.close();
    if (given.table === undefined) await table.close();
  });
  const setup: Setup = { table, dispatch, counters, failing, beforeRead: async () => {} };
  return setup;
}

export const deliver = (
  { dispatch }: Setup,
  ids: readonly string[],
  timeoutMs = 10_000,
  waitFor: 'broker' | 'reply' = 'broker',
) => dispatch.deliver({ commands: ids.map((id) => ({ id, waitFor })), timeoutMs });
export const texts = ({ published }: FakeBroker) => published.map(({ text }) => text);
