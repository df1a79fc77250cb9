// One device that sends more than its share, and how long all others wait for it.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../functions/ingest/storing/message-store.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { numberIn } from './rig/publisher.ts';
import { rowTimeoutMs, scaled, scaledMs } from './rig/random.ts';
import { type Rig, startRig } from './rig/rig.ts';

const name = `a noisy topic ${hasMosquitto ? '' : needsMosquitto}`.trim();

/** How long messages take from the device to the table. */
class Delays {
  readonly #sentMs = new Map<number, number>();
  #takenMs: number[] = [];

  /** The content of a message whose time counts. */
  readonly content = (number: number): string => {
    this.#sentMs.set(number, performance.now());
    return 'a message';
  };

  readonly over = (store: Store): Store => ({
    ...store,
    put: async (messages, options) => {
      const failures = await store.put(messages, options);
      const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { id, payload } of messages) {
        const sentMs = this.#sentMs.get(numberIn(Buffer.from(payload)) ?? 0);
        if (sentMs !== undefined && !failed.has(id)) this.#takenMs.push(performance.now() - sentMs);
      }
      return failures;
    },
  });

  get count(): number {
    return this.#takenMs.length;
  }

  /** Forgets what was until now. */
  reset(): void {
    this.#takenMs = [];
  }

  /** 99 of 100 took no longer. */
  p99(): number {
    const sorted = this.#takenMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  }
}

/** Publishes to the hot topic at a steady rate. */
async function publishHot(rig: Rig, bytes: number, perSecond: number, count: number) {
  const startedMs = performance.now();
  const published: Promise<number>[] = [];
  for (let done = 0; done < count; done++) {
    await delay(Math.max(0, startedMs + (done * 1000) / perSecond - performance.now()));
    published.push(rig.publisher.publishOne('hot/camera', 'x'.repeat(bytes)));
  }
  await Promise.all(published);
}

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  // 11 × 250 KB/s on a key that takes 1,000 units, at two fifths: one machine carries all parts of it. How long they
  // take there is measured first, without that limit: it costs the others less than a second.
  test('writes 1 MB a second into a table whose keys take 0.4: the others do not wait for it', async () => {
    const delays = new Delays();
    const rig = await startRig({
      row: '4 × 250 KB a second on one topic, our ingest',
      route: { ingest: true },
      wrapStore: delays.over,
    });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    // The first messages are slow: code is compiled, and connections are made.
    await rig.publisher.publish({ count: 100, perSecond: 50 });
    const load = async (seconds: number) => {
      delays.reset();
      await Promise.all([
        publishHot(rig, 250_000, 4, 4 * seconds),
        rig.publisher.publish({ count: 50 * seconds, perSecond: 50, content: delays.content }),
      ]);
      await rig.settled(40_000);
      return delays.p99();
    };
    const unlimited = await load(scaled(6));
    rig.database.keyUnitsPerSecond = 400;
    const seconds = scaled(15);
    const p99 = await load(seconds);
    const note = `p99 of the others ${Math.round(p99)} ms, ${Math.round(unlimited)} ms without the limit, ${rig.database.counts.unprocessed} writes unprocessed`;
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
    expect(delays.count).toBe(50 * seconds);
    expect(rig.database.counts.unprocessed).toBeLessThan(seconds);
    expect(p99).toBeLessThan(unlimited + 1000);
  });

  const slow = { maxBatch: 1, window: 60, retry: { baseMs: 20, capMs: 100 } };
  /** A webhook that takes 400 ms for each message of the hot topic. */
  const slowOnHot = (rig: Rig) => {
    rig.handler.fault = async ({ body, pass }) => {
      if (body.includes('hot/camera')) await delay(400);
      await pass();
    };
  };

  test('meets a slow webhook: it is named', async () => {
    const rig = await startRig({ row: 'a topic that its webhook is slow on', route: slow });
    slowOnHot(rig);
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const published = Promise.all([
      publishHot(rig, 100, 10, scaled(150)),
      rig.publisher.publish({ count: scaled(500), perSecond: 33 }),
    ]);
    await until(async () => (await bridge.metric('noisy_topic')) === 1, {
      timeoutMs: scaledMs(60_000),
    });
    await until(() =>
      bridge.log.some((line) => line.includes('hot/camera') && line.includes('route of its own')),
    );
    await published;
    await rig.settled(40_000);
    expect((await rig.verdict([bridge])).faults).toEqual([]);
  });

  test('with a route of its own: the others do not wait for it', async () => {
    const delays = new Delays();
    const rig = await startRig({
      row: 'a slow topic with a route of its own',
      wrapStore: delays.over,
    });
    slowOnHot(rig);
    const handler = { url: rig.handler.url, allowPrivate: true, ...slow };
    const bridge = rig.startBridge({
      routes: [
        { name: 'store', filter: 'load/#', ...handler },
        { name: 'hot', filter: 'hot/#', ...handler },
      ],
    });
    await bridge.untilReady();
    await Promise.all([
      publishHot(rig, 100, 10, scaled(80)),
      rig.publisher.publish({ count: scaled(264), perSecond: 33, content: delays.content }),
    ]);
    await until(() => delays.count === scaled(264), { timeoutMs: scaledMs(30_000) });
    await rig.settled(40_000);
    const p99 = delays.p99();
    const note = `p99 of the others ${Math.round(p99)} ms`;
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
    expect(p99).toBeLessThan(1000);
  });
});
