// The config changes while messages come, and the bridge is killed at any instant of it: nothing is lost, and what is
// kept twice has a reason.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import type { BridgeProcess } from './rig/bridge-process.ts';
import { keptInTable } from './rig/kept.ts';
import type { Verdict } from './rig/oracle.ts';
import { rowTimeoutMs, scaled, scaledMs } from './rig/random.ts';
import { type Rig, startRig } from './rig/rig.ts';

type Route = BridgeConfigInput['routes'][number];

const name = `the config changes ${hasMosquitto ? '' : needsMosquitto}`.trim();

function withRoutes({ handler }: Rig, ...routes: Partial<Route>[]): Partial<BridgeConfigInput> {
  return {
    endSessionsAfterSeconds: 1,
    routes: routes.map((route) => ({
      name: 'store',
      filter: '#',
      url: handler.url,
      allowPrivate: true,
      window: 500,
      maxBatch: 20,
      ...route,
    })),
  };
}

/**
 * Nothing but so many twice: mosquitto may take a PUBLISH between the SUBSCRIBE and the UNSUBSCRIBE of one write, and that
 * one comes by both.
 */
function expectFew({ faults, duplicates }: Verdict, mostTwice: number): void {
  expect(duplicates).toBeLessThanOrEqual(mostTwice);
  expect(faults.filter((fault) => mostTwice === 0 || !isTwice(fault))).toEqual([]);
}

const isTwice = (fault: string) => fault.includes('kept more than once');

/** Starts bridges with one config after the other, and kills each while messages come. The last one lives. */
async function killThrough(
  rig: Rig,
  configs: readonly Partial<BridgeConfigInput>[],
  rounds: number,
): Promise<BridgeProcess> {
  const enough = new AbortController();
  const published = rig.publisher.publish({ perSecond: 300, signal: enough.signal });
  for (let round = 0; round < rounds; round++) {
    const bridge = rig.startBridge(configs[round % configs.length]);
    await until(async () => (await bridge.problems()) !== undefined, { what: 'the bridge is up' });
    // From the first packets of a start to long after it.
    await delay(rig.random.chance(0.5) ? rig.random.between(0, 150) : rig.random.between(0, 1500));
    await bridge.kill();
  }
  const last = rig.startBridge(configs[rounds % configs.length]);
  await last.untilReady(60_000);
  enough.abort();
  await published;
  return last;
}

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test.each([5, 4] as const)('MQTT %d: the filter, to and fro', async (protocolVersion) => {
    const rig = await startRig({
      row: `filter changes, v${protocolVersion}`,
      broker: { protocolVersion },
    });
    const first = rig.startBridge(withRoutes(rig, { filter: 'load/#' }));
    await first.untilReady();
    await first.kill();
    const filters = ['#', 'load/+', '+/+', 'load/#'];
    const configs = filters.map((filter) => withRoutes(rig, { filter }));
    const last = await killThrough(rig, configs, scaled(8));
    await rig.settled();
    expectFew(await rig.verdict([last]), scaled(8));
  });

  test.each([
    ['3 to 2', [3, 2], 0],
    ['1 to 2 to 1', [1, 2], scaled(8)],
  ])('the connections, %s', async (what, counts, mostTwice) => {
    const rig = await startRig({ row: `connections ${what}` });
    const configs = counts.map((connections) => withRoutes(rig, { connections }));
    const first = rig.startBridge(configs[0]);
    await first.untilReady();
    await first.kill();
    const last = await killThrough(rig, configs, scaled(8));
    await rig.settled();
    expectFew(await rig.verdict([last]), mostTwice);
  });

  test('a route is removed: all that its session holds is a dead letter', async () => {
    const rig = await startRig({ row: 'route removed' });
    const before = rig.startBridge(withRoutes(rig, { name: 'old' }));
    await before.untilReady();
    await rig.publisher.publish({ count: scaled(200), perSecond: 1000 });
    await rig.settled();
    await before.kill();
    await rig.publisher.publish({ count: scaled(1000), perSecond: 2000 });
    const without = withRoutes(rig, { name: 'other', filter: 'other/#' });
    for (let round = 0; round < 4; round++) {
      const bridge = rig.startBridge(without);
      await until(async () => (await bridge.problems()) !== undefined);
      await delay(rig.random.between(50, 600));
      await bridge.kill();
    }
    const last = rig.startBridge(without);
    await last.untilReady();
    // By their numbers, as some are there twice.
    const quarantined = async () => {
      const kept = await keptInTable(rig.table.client, rig.tableName);
      return new Set(kept.quarantined.map(({ number }) => number)).size;
    };
    const missing = rig.publisher.acknowledged.size - rig.storedNumbers.size;
    await until(async () => (await quarantined()) >= missing, {
      timeoutMs: scaledMs(60_000),
      what: `${missing} dead letters`,
    });
    const { faults } = await rig.verdict([last]);
    // What was being written at a kill comes again, and is a dead letter with another time.
    expect(faults.filter((fault) => !isTwice(fault))).toEqual([]);
  });
});
