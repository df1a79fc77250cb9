// Both places that the ledger is kept in do the same.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SessionEntry } from '../../../bridge/session-ledger/entry.ts';
import { folderLedger } from '../../../bridge/session-ledger/ledger-folder.ts';
import { tableLedger } from '../../../bridge/session-ledger/ledger-table.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { startTable } from '../../support/table.ts';

const entry: SessionEntry = {
  clientId: 'causeway-store-0',
  lease: 'causeway-store-0',
  route: 'store',
  target: 'x',
  brokerHost: '127.0.0.1',
  subscriptions: [{ filter: 'a/#', qos: 1, state: 'asked' }],
  formerFilters: ['b'],
};

async function inTable() {
  const table = await startTable();
  onTestFinished(() => table.close());
  return (prefix: string) => tableLedger(table.tableName, table.client, prefix);
}

async function inFolder() {
  const folder = temporaryFolder('ledger');
  return (prefix: string) => folderLedger(folder, prefix);
}

describe.each([
  ['a table', inTable],
  ['a file', inFolder],
])('in %s', (_, open) => {
  test('entries are there for the next process, until they are removed', async () => {
    const at = await open();
    const first = at('causeway');
    expect(await first.list()).toEqual([]);
    const granted = { ...entry, subscriptions: [{ filter: 'a/#', qos: 1, state: 'granted' }] };
    await first.put(entry);
    await first.put({ ...entry, clientId: 'gave/out #1' });
    await first.put(granted as SessionEntry);

    const second = at('causeway');
    expect(await second.read(entry.clientId)).toEqual(granted);
    expect((await second.list()).map(({ clientId }) => clientId).sort()).toEqual([
      entry.clientId,
      'gave/out #1',
    ]);
    // The prefix of another deployment may begin with this one.
    expect(await at('causeway-local').list()).toEqual([]);
    await second.remove(entry.clientId);
    expect(await second.read(entry.clientId)).toBeUndefined();
    expect(await at('causeway').list()).toHaveLength(1);
  });

  test('of two deployments that replace one, the second is refused', async () => {
    const at = await open();
    const [one, two] = [at('causeway'), at('causeway')];
    const deployment = { version: 1, routes: { store: 'x' } };
    expect(await one.replaceDeployment(deployment, undefined)).toBe(true);
    expect(await one.readDeployment()).toEqual(deployment);
    if (!one.isShared) return;
    const others = { version: 1, routes: { store: 'y' } };
    expect(await two.replaceDeployment(others, undefined)).toBe(false);
    expect(await two.replaceDeployment({ ...others, version: 2 }, 1)).toBe(true);
    expect(await one.replaceDeployment({ ...deployment, version: 2 }, 1)).toBe(false);
  });
});

test('what makes no sense in a file is a session that the ledger does not know', async () => {
  const folder = temporaryFolder('ledger');
  await folderLedger(folder, 'causeway').put(entry);
  const path = join(folder, 'causeway.json');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('granted', '?').replace('asked', '?'));
  expect(await folderLedger(folder, 'causeway').list()).toEqual([]);
  await writeFile(path, text.slice(0, 20));
  const ledger = folderLedger(folder, 'causeway');
  expect(await ledger.list()).toEqual([]);
  await ledger.put(entry);
  expect(await folderLedger(folder, 'causeway').list()).toEqual([entry]);
});
