// The memory of the process: what comes is more than fits, or one message is.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { untilAborted } from '../../bridge/base/aborted.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { createMemoryStore } from './rig/memory-store.ts';
import { rowTimeoutMs, scaled, scaledMs } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `memory ${hasMosquitto ? '' : needsMosquitto}`.trim();
const kilobytes = 1000;

/** One route with default limits for each of the publisher's topics. */
const routesOf = (count: number, url: string) =>
  Array.from({ length: count }, (_, index) => ({
    name: `r-${index}`,
    filter: `load/${index}`,
    url,
    allowPrivate: true,
  }));

const bytes = (length: number) => Buffer.alloc(length, 0xf5);

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test('six default routes full of messages, and a slow handler: it lives within memoryMiB, and sends nothing twice', async () => {
    const rig = await startRig({
      row: 'six routes, 200 KB, slow handler',
      memoryStore: createMemoryStore(),
    });
    const slow = new AbortController();
    rig.handler.fault = async ({ pass }) => {
      // Windows and requests are full by the time of the first answer.
      await untilAborted(slow.signal);
      await pass();
    };
    const memoryMiB = 320;
    const bridge = rig.startBridge({ memoryMiB, routes: routesOf(6, rig.handler.url) });
    await bridge.untilReady();
    const content = () => bytes(200 * kilobytes);
    await rig.publisher.publish({ count: scaled(900), perSecond: 600, topics: 6, content });
    await delay(3000);
    slow.abort();
    await rig.settled(30_000);
    const peak = bridge.peakMegabytes();
    const verdict = await rig.verdict([bridge], { note: `peak ${peak} MB` });
    expect(verdict.faults).toEqual([]);
    expect(verdict.duplicates).toBe(0);
    expect(peak).toBeLessThan(memoryMiB);
  });

  test('routes that are held, full of messages, do not stop another', async () => {
    const rig = await startRig({
      row: 'three of four routes held, 200 KB',
      memoryStore: createMemoryStore(),
    });
    // The publisher numbers its messages from 1, over four topics.
    const isLive = (number: number) => number % 4 === 0;
    rig.handler.fault = async ({ body, response, pass }) => {
      if (body.includes('"subject":"load/0"')) await pass();
      else response.writeHead(503).end();
    };
    const memoryMiB = 256;
    const bridge = rig.startBridge({ memoryMiB, routes: routesOf(4, rig.handler.url) });
    await bridge.untilReady();
    const count = scaled(600);
    const content = () => bytes(200 * kilobytes);
    await rig.publisher.publish({ count, perSecond: 600, topics: 4, content });
    const live = () => [...rig.storedNumbers].filter(isLive).length;
    await until(() => live() === Math.floor(count / 4), {
      timeoutMs: scaledMs(60_000),
      what: 'the messages of the route that is not held',
    });
    expect(rig.storedNumbers.size).toBe(live());
    rig.handler.fault = undefined;
    await rig.settled(40_000);
    const peak = bridge.peakMegabytes();
    expect((await rig.verdict([bridge], { note: `peak ${peak} MB` })).faults).toEqual([]);
    expect(peak).toBeLessThan(memoryMiB);
  });

  test('a message of 60 MB, one whose JSON no string can hold, and one of 700,000 NULs', async () => {
    const rig = await startRig({ row: '60 MB, 89 MB of NULs', deadLetters: 'folder' });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const beside = rig.publisher.publish({ count: scaled(200), perSecond: 200 });
    await rig.publisher.publishOne('large/binary', bytes(60_000_000));
    await rig.publisher.publishOne('large/nuls', Buffer.alloc(89_478_500));
    const fits = await rig.publisher.publishOne('large/fits', Buffer.alloc(700_000));
    await beside;
    await rig.settled(40_000);
    expect(rig.storedNumbers.has(fits)).toBe(true);
    const peak = bridge.peakMegabytes();
    const verdict = await rig.verdict([bridge], { note: `peak ${peak} MB` });
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(2);
    expect(peak).toBeLessThan(250);
  });
});
