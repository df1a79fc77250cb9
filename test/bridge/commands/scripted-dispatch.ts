// A dispatch over a broker that does as the test says, and over a real table whose calls can be made to fail.
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { CommandCounters } from '../../../bridge/commands/command-metrics.ts';
import { Dispatch } from '../../../bridge/commands/dispatch.ts';
import { createLedger, type Ledger, type QueueEntry } from '../../../bridge/commands/ledger.ts';
import { parseConfig } from '../../../bridge/config.ts';
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
  broker: FakeBroker,
  commands: { window?: number; ackTimeoutMs?: number; pollSeconds?: number } = {},
): Promise<Setup> {
  const table = await startTable();
  const config = parseConfig({
    broker: { url: broker.url },
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
    counters,
    log: pino({ level: 'silent' }),
  });
  onTestFinished(async () => {
    await dispatch.close();
    await table.close();
  });
  const setup: Setup = { table, dispatch, counters, failing, beforeRead: async () => {} };
  return setup;
}

export const deliver = ({ dispatch }: Setup, ids: readonly string[], timeoutMs = 10_000) =>
  dispatch.deliver({ commands: ids.map((id) => ({ id, waitFor: 'broker' })), timeoutMs });
export const texts = ({ published }: FakeBroker) => published.map(({ text }) => text);
