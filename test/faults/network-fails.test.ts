// The network between bridge and broker breaks in every way the proxy knows: nothing is lost, nothing comes twice.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { rowTimeoutMs, scaled } from './rig/random.ts';
import { type Rig, startRig } from './rig/rig.ts';

const name = `the network ${hasMosquitto ? '' : needsMosquitto}`.trim();

/** Breaks the network again and again while messages come. */
const often: readonly (readonly [what: string, fault: (rig: Rig) => void])[] = [
  ['cuts connections', (rig) => rig.proxy.cut()],
  ['half-closes towards the broker', (rig) => rig.proxy.halfClose('up')],
  ['half-closes towards the bridge', (rig) => rig.proxy.halfClose('down')],
  [
    'is slow, and cuts connections',
    (rig) => {
      rig.proxy.delayMs = rig.random.between(20, 150);
      rig.proxy.cut();
    },
  ],
  ['eats PUBACKs', (rig) => rig.proxy.cutAtPuback(rig.random.between(0, 50))],
];

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test.each(often)('%s', async (what, fault) => {
    const rig = await startRig({ row: `network ${what}`, route: { maxBatch: 20, concurrency: 2 } });
    rig.handler.fault = async ({ pass }) => {
      await delay(rig.random.between(0, 30));
      await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const enough = new AbortController();
    const published = rig.publisher.publish({ perSecond: 400, signal: enough.signal });
    // Few: the bridge waits longer after each connection that did not last.
    const rounds = scaled(4);
    for (let round = 0; round < rounds; round++) {
      await delay(rig.random.between(50, 400));
      const before = rig.proxy.connects;
      fault(rig);
      await until(() => rig.proxy.connects > before, { what: 'another connection' });
      await bridge.untilReady();
    }
    enough.abort();
    await published;
    await rig.settled();
    const note = `${rig.proxy.connects} connects`;
    // What was stored and could not be acknowledged comes again to the next bridge.
    await bridge.kill();
    const successor = rig.startBridge();
    await successor.untilReady();
    await delay(300);
    expect((await rig.verdict([successor], { note })).faults).toEqual([]);
  });

  describe.concurrent('goes silent', () => {
    test.for(['up', 'down'] as const)('%s', async (direction, { onTestFinished, expect }) => {
      const rig = await startRig({
        row: `network black hole ${direction}`,
        onTestFinished,
        broker: { keepaliveSeconds: 5 },
      });
      const bridge = rig.startBridge();
      await bridge.untilReady();
      const enough = new AbortController();
      const published = rig.publisher.publish({ perSecond: 200, signal: enough.signal });
      await delay(500);
      rig.proxy.blackHole(direction);
      await until(async () => ((await bridge.problems())?.length ?? 0) > 0, {
        timeoutMs: 20_000,
        what: 'the bridge notices',
      });
      rig.proxy.heal();
      await bridge.untilReady(20_000);
      enough.abort();
      await published;
      await rig.settled();
      const note = `${rig.proxy.connects} connects`;
      expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
    });
  });
});
