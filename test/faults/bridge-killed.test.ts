// The bridge is killed, stopped and frozen at any instant: nothing is lost, and nothing is kept twice.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { storageForms } from '../../functions/contract/storage-form.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { rowTimeoutMs, scaled } from './rig/random.ts';
import { startRig } from './rig/rig.ts';
import { killedUnderLoad, killedWhileHandlerIsDown } from './rig/rows.ts';

const name = `the bridge dies ${hasMosquitto ? '' : needsMosquitto}`.trim();

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test.each(storageForms)('by kill -9 every 400 ms under load, %s', async (storage) => {
    expect((await killedUnderLoad(undefined, storage)).faults).toEqual([]);
  });

  test('by kill -9 while the handler is down', async () => {
    expect((await killedWhileHandlerIsDown()).faults).toEqual([]);
  });

  test('by SIGTERM at random instants: it settles, and ends with 0', async () => {
    const rig = await startRig({
      row: 'SIGTERM at random instants',
      route: { maxBatch: 20, concurrency: 2 },
    });
    rig.handler.fault = async ({ pass }) => {
      await delay(rig.random.between(0, 60));
      await pass();
    };
    let bridge = rig.startBridge();
    await bridge.untilReady();
    const rounds = scaled(50);
    const enough = new AbortController();
    const published = rig.publisher.publish({ perSecond: 400, signal: enough.signal });
    for (let round = 0; round < rounds; round++) {
      await delay(rig.random.between(0, 300));
      expect(await bridge.stop(), bridge.log.slice(-20).join('\n')).toBe(0);
      // Stored and acknowledged: what was stored before a clean stop does not come again.
      bridge = rig.startBridge();
    }
    enough.abort();
    await published;
    await rig.settled();
    expect((await rig.verdict([bridge], { note: `${rounds} stops` })).faults).toEqual([]);
  });

  test('by SIGTERM while the handler hangs: it ends in time, and loses nothing', async () => {
    const rig = await startRig({ row: 'SIGTERM, handler hangs', config: { drainTimeoutMs: 2000 } });
    rig.handler.fault = () => {};
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await rig.publisher.publish({ count: scaled(500), perSecond: 2000 });
    expect(await bridge.stop(4000)).toBe(0);
    rig.handler.fault = undefined;
    const successor = rig.startBridge();
    await successor.untilReady();
    await rig.settled();
    expect((await rig.verdict([successor])).faults).toEqual([]);
  });

  test('not, but is frozen for three keep-alives', async () => {
    const rig = await startRig({ row: 'event loop blocked', broker: { keepaliveSeconds: 5 } });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const published = rig.publisher.publish({ count: scaled(3000), perSecond: 500 });
    await delay(500);
    bridge.signal('SIGSTOP');
    await delay(15_500);
    bridge.signal('SIGCONT');
    await published;
    await rig.settled();
    expect(
      (await rig.verdict([bridge], { note: `${rig.proxy.connects} connects` })).faults,
    ).toEqual([]);
  });
});
