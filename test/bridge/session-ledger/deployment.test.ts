// Two configs meet, while a deployment rolls out or is rolled back: which of them takes a session.
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Acquire } from '../../../bridge/base/leased.ts';
import { RunningDeployment } from '../../../bridge/session-ledger/deployment.ts';
import { folderLedger } from '../../../bridge/session-ledger/ledger-folder.ts';
import { startTestBridge } from '../../support/bridges.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { routeToken, statusOf } from '../../support/route-control.ts';
import { startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';
import { startLedgerRig, withShared } from './rig.ts';

describe.each(withShared.slice(-1))('$name', (broker) => {
  async function startRolling() {
    const rig = await startLedgerRig(broker);
    const table = await startTable();
    onTestFinished(() => table.close());
    const start = (filter: string) =>
      startTestBridge({
        brokerUrl: rig.broker.url,
        handlerUrl: rig.handler.url,
        table,
        route: { filter },
        token: routeToken,
        endSessionsAfterSeconds: 1,
      });
    const stateOf = async (bridge: { url: string }) => (await statusOf(bridge.url)).state;
    const untilState = (bridge: { url: string }, state: string) =>
      until(async () => (await stateOf(bridge)) === state, { what: state });
    return { ...rig, start, stateOf, untilState };
  }

  test('a standby of the old config gives way to the new one, and takes over again after a rollback', async () => {
    const rig = await startRolling();
    const old = await rig.start('private/#');
    await rig.untilState(old, 'active');
    const standby = await rig.start('private/#');
    await rig.untilState(standby, 'standby');
    await rig.publish('private/1', 'one');
    await rig.stored(1);

    const renewed = await rig.start('public/#');
    await old.drain();
    await rig.untilState(renewed, 'active');
    await rig.publish('private/2', 'two');
    await rig.publish('public/1', 'three');
    expect(await rig.stored(2)).toEqual(['one', 'three']);
    expect(await rig.stateOf(standby)).toBe('standby');

    // Rolled back: a process of the old config starts, and the standby is one of the deployment's again.
    const back = await rig.start('private/#');
    await rig.untilState(back, 'standby');
    await renewed.drain();
    await until(async () =>
      (await Promise.all([standby, back].map(rig.stateOf))).includes('active'),
    );
    await rig.publish('public/2', 'four');
    await rig.publish('private/3', 'five');
    expect(await rig.stored(3)).toEqual(['five', 'one', 'three']);
  });
});

test('where nobody of the new config is left, the old one goes on', async () => {
  const store = folderLedger(temporaryFolder('deployment'), 'causeway');
  const log = pino({ level: 'silent' });
  const { signal } = new AbortController();
  let taken = 0;
  const acquire: Acquire = async () => {
    taken++;
    return { lost: signal, recalled: signal, keep: () => {}, release: async () => {} };
  };
  const old = new RunningDeployment({
    store,
    routes: { store: 'x', same: 's' },
    log,
    giveWayMs: 5,
    abandonedMs: 50,
  });
  await old.register(signal);
  const renewed = { version: 2, routes: { store: 'y', same: 's' } };
  expect(await store.replaceDeployment(renewed, 1)).toBe(true);

  await old.acquireFor('same', acquire)('lease', log, signal);
  expect(taken).toBe(1);
  expect([await old.agrees('same'), await old.agrees('store'), await old.agrees()]).toEqual([
    true,
    false,
    false,
  ]);
  await old.acquireFor('store', acquire)('lease', log, signal);
  // It was left to others several times before.
  expect(taken).toBeGreaterThan(3);
  expect(await store.readDeployment()).toEqual({ version: 3, routes: { store: 'x', same: 's' } });
});
