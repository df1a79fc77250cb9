// The broker restarts, freezes, is away, or is not to be found: the bridge waits for it and goes on.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { numberIn } from './rig/publisher.ts';
import { rowTimeoutMs, scaled } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `the broker ${hasMosquitto ? '' : needsMosquitto}`.trim();

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test('restarts, with persistence', async () => {
    const rig = await startRig({
      row: 'broker restarts with persistence',
      brokerSettings: ['persistence true'],
      route: { maxBatch: 20, concurrency: 2 },
    });
    rig.handler.fault = async ({ pass }) => {
      await delay(rig.random.between(0, 30));
      await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const published = rig.publisher.publish({ count: scaled(1500), perSecond: 400 });
    for (let round = 0; round < 3; round++) {
      await delay(rig.random.between(300, 800));
      await rig.broker.stop();
      await rig.broker.startAgain({ keep: true });
      await bridge.untilReady();
    }
    await published;
    await rig.settled();
    expect((await rig.verdict([bridge], { note: '3 restarts' })).faults).toEqual([]);
  });

  test('restarts, without persistence: what it forgets is its own loss, and no more than that', async () => {
    const rig = await startRig({ row: 'broker restarts without persistence' });
    rig.handler.fault = async ({ pass }) => {
      await delay(rig.random.between(0, 30));
      await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const forgotten = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const published = rig.publisher.publish({ count: scaled(300), perSecond: 600 });
      await delay(rig.random.between(100, 400));
      const before = rig.proxy.connects;
      await rig.broker.stop();
      await rig.broker.startAgain({ keep: false });
      await until(() => rig.proxy.connects > before, { what: 'the bridge connects again' });
      await bridge.untilReady();
      await delay(50);
      // Until the bridge had subscribed again the broker acknowledged, and forgot what was not stored yet.
      for (const number of rig.publisher.acknowledged)
        if (!rig.storedNumbers.has(number)) forgotten.add(number);
      await published;
    }
    await rig.publisher.publish({ count: scaled(500), perSecond: 1000 });
    await until(
      () =>
        [...rig.publisher.acknowledged].every(
          (number) => rig.storedNumbers.has(number) || forgotten.has(number),
        ),
      { what: 'what the broker has not forgotten is stored' },
    );
    const lost = [...forgotten].filter((number) => !rig.storedNumbers.has(number)).length;
    const note = `3 restarts, lost by the broker ${lost}`;
    const verdict = await rig.verdict([bridge], { brokersLoss: forgotten, note });
    expect(verdict.faults).toEqual([]);
    expect(verdict.stored).toBeGreaterThanOrEqual(scaled(500));
  });

  test('forgets the session and gives its packet ids to new messages: late PUBACKs do not reach them', async () => {
    const rig = await startRig({
      row: 'late PUBACKs after a lost session',
      route: { window: 200, maxBatch: 1, concurrency: 256 },
    });
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    // The first 50 are answered when the broker has forgotten them, the next 50 never.
    rig.handler.fault = async ({ body, pass }) => {
      const payload = /"data(?:_base64)?":"([^"]*)"/.exec(body)?.[1] ?? '';
      const number =
        numberIn(Buffer.from(payload)) ?? numberIn(Buffer.from(payload, 'base64')) ?? 0;
      if (number > 50) return;
      await answered;
      await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await rig.publisher.publish({ count: 50, perSecond: 1000, topics: 1000 });
    await until(() => rig.proxy.publishes === 50);
    await rig.broker.stop();
    await rig.broker.startAgain({ keep: false });
    await until(() => rig.proxy.connects === 2);
    await bridge.untilReady();
    await rig.publisher.publish({ count: 50, perSecond: 1000, topics: 1000 });
    await until(() => rig.proxy.publishes === 100);
    answer();
    await until(() => rig.storedNumbers.size === 50);
    await delay(300);
    const late = rig.proxy.pubacks;
    await bridge.kill();
    rig.handler.fault = undefined;
    const successor = rig.startBridge();
    await successor.untilReady();
    await rig.settled();
    expect((await rig.verdict([successor], { note: `${late} late PUBACKs` })).faults).toEqual([]);
    expect(late).toBe(0);
  });

  test('is away at the start', async () => {
    const rig = await startRig({ row: 'broker away at start' });
    await rig.broker.stop();
    const bridge = rig.startBridge({
      broker: { url: `mqtt://127.0.0.1:${rig.broker.port}`, clientIdPrefix: 'faults' },
    });
    await until(async () => (await bridge.problems())?.join().includes('ECONNREFUSED'));
    await rig.broker.startAgain({ keep: false });
    await bridge.untilReady();
    await rig.publisher.publish({ count: scaled(500), perSecond: 1000 });
    await rig.settled();
    // It goes past the proxy, which would accept for a broker that is away: so only a kill shows early PUBACKs.
    rig.handler.fault = () => {};
    rig.handler.seen.clear();
    await rig.publisher.publish({ count: 50, perSecond: 1000 });
    await until(() => rig.handler.seen.size > 0);
    await bridge.kill();
    rig.handler.fault = undefined;
    const successor = rig.startBridge();
    await successor.untilReady();
    await rig.settled();
    expect((await rig.verdict([successor])).faults).toEqual([]);
  });

  test('has a name that does not resolve', async () => {
    const rig = await startRig({ row: 'DNS fails' });
    const lost = rig.startBridge({ broker: { url: 'mqtt://broker.invalid:1883' } });
    await until(async () => /ENOTFOUND|EAI_AGAIN/.test((await lost.problems())?.join() ?? ''));
    expect(await lost.stop()).toBe(0);
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await rig.publisher.publish({ count: scaled(500), perSecond: 1000 });
    await rig.settled();
    expect((await rig.verdict([bridge])).faults).toEqual([]);
  });

  test('freezes for longer than the keep-alive allows', async () => {
    const rig = await startRig({ row: 'broker frozen', broker: { keepaliveSeconds: 5 } });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const enough = new AbortController();
    const published = rig.publisher.publish({ perSecond: 300, signal: enough.signal });
    await delay(500);
    const { pid } = rig.broker;
    process.kill(pid, 'SIGSTOP');
    try {
      await until(async () => ((await bridge.problems())?.length ?? 0) > 0, {
        timeoutMs: 20_000,
        what: 'the bridge notices',
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await bridge.untilReady(30_000);
    await delay(500);
    enough.abort();
    await published;
    await rig.settled();
    const note = `${rig.proxy.connects} connects`;
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
  });
});
