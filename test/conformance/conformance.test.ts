// Each MUST of MQTT 3.1.1 and MQTT 5 that concerns a server, as rows of bytes with their clause.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { groups } from './rows/rows.ts';
import { Run } from './run.ts';
import { type Server, startServer } from './servers.ts';

let server: Server;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.close());

let runs = 0;

describe.each(Object.entries(groups))('%s', (_, rows) => {
  test.concurrent.each(rows.map((row) => [label(row), row] as const))('%s', async (_, row) => {
    const run = new Run(server, row.version, `r${++runs}x${process.pid}`);
    try {
      for (const step of row.steps) await step(run);
    } finally {
      run.close();
    }
  });
});

function label({ version, clause, title }: (typeof groups)[keyof typeof groups][number]): string {
  return `${{ 3: '3.1', 4: '3.1.1', 5: '5' }[version]} [${clause}] ${title}`;
}
