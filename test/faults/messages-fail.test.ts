// Messages that cannot be stored, now or ever: some fail, some are poison, some are too large, the table throttles.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { storageForms } from '../../functions/contract/storage-form.ts';
import type { Store } from '../../functions/ingest/storing/message-store.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { createRandom, rowTimeoutMs, scaled } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `messages ${hasMosquitto ? '' : needsMosquitto}`.trim();
const kilobytes = 1024;

const isPoison = (text: string) => text.includes('poison');
const poisonOneIn1000 = (number: number) => (number % 1000 === 500 ? 'poison' : 'a message');

/** Refuses poison for ever, and stores the rest. */
function refusingPoison(store: Store): Store {
  return {
    ...store,
    async put(messages, onDuplicates) {
      const poison = messages.filter(({ payload }) => isPoison(Buffer.from(payload).toString()));
      const rest = messages.filter((message) => !poison.includes(message));
      return [
        ...poison.map(({ id }) => ({ itemIdentifier: id, reason: 'poison', retryable: false })),
        ...(await store.put(rest, onDuplicates)),
      ];
    },
  };
}

/** Says of some messages at random that they failed: they were not stored, or they were. */
function failingAtRandom(store: Store): Store {
  const random = createRandom();
  return {
    ...store,
    async put(messages, onDuplicates) {
      const skipped = messages.filter(() => random.chance(0.1));
      const rest = messages.filter((message) => !skipped.includes(message));
      const failures = await store.put(rest, onDuplicates);
      const stored = rest.filter(() => random.chance(0.05));
      const failed = [...skipped, ...stored].map(({ id }) => ({ itemIdentifier: id }));
      return [...failures, ...failed.map((failure) => ({ ...failure, retryable: true }))];
    },
  };
}

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test('one in 1,000 is poison by its result: it is quarantined', async () => {
    const rig = await startRig({ row: 'poison, retryable: false', wrapStore: refusingPoison });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const count = scaled(3000);
    await rig.publisher.publish({ count, perSecond: 1500, content: poisonOneIn1000 });
    await rig.settled();
    const verdict = await rig.verdict([bridge]);
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(Math.round(count / 1000));
  });

  test('one in 1,000 makes the handler refuse the batch: it is found, and quarantined in a folder', async () => {
    const rig = await startRig({ row: 'poison, 422', deadLetters: 'folder' });
    rig.handler.fault = async ({ body, response, pass }) => {
      if (isPoison(body)) response.writeHead(422).end('poison');
      else await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const count = scaled(3000);
    await rig.publisher.publish({ count, perSecond: 1500, content: poisonOneIn1000 });
    await rig.settled();
    const verdict = await rig.verdict([bridge]);
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(Math.round(count / 1000));
  });

  test('poison, while the dead letters throttles: it is kept until it is quarantined', async () => {
    const rig = await startRig({ row: 'poison, quarantine throttles', wrapStore: refusingPoison });
    rig.database.refusedShare = 0.7;
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const content = (number: number) => (number % 10 === 0 ? 'poison' : 'a message');
    await rig.publisher.publish({ count: scaled(100), perSecond: 500, content });
    await delay(1000);
    rig.database.refusedShare = 0;
    await rig.settled(40_000);
    const verdict = await rig.verdict([bridge], { note: `${rig.database.counts.refused} refused` });
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(scaled(10));
  });

  test('fail at random, one by one: only those are sent again', async () => {
    const rig = await startRig({ row: 'partial failures', wrapStore: failingAtRandom });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await rig.publisher.publish({ count: scaled(2000), perSecond: 1000, topics: 200 });
    await rig.settled(30_000);
    expect((await rig.verdict([bridge])).faults).toEqual([]);
  });

  test.each(storageForms)('meet a database that throttles, %s', async (storage) => {
    const rig = await startRig({ row: `database throttles, ${storage}`, storage });
    rig.database.refusedShare = 0.1;
    rig.database.unprocessedShare = 0.3;
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await rig.publisher.publish({ count: scaled(2000), perSecond: 1000, topics: 200 });
    await rig.settled(30_000);
    const { refused, unprocessed } = rig.database.counts;
    const note = `${refused} calls refused, ${unprocessed} writes unprocessed`;
    rig.database.refusedShare = 0;
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
    expect(refused).toBeGreaterThan(0);
    expect(unprocessed).toBeGreaterThan(0);
  });

  test('of 399 KB, 401 KB, 1 MB and 6 MB: stored whole, or quarantined, and in nobody’s way', async () => {
    const rig = await startRig({ row: 'oversize' });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const beside = rig.publisher.publish({ count: scaled(300), perSecond: 300 });
    const sizes = [399, 401, 1024, 6 * 1024].map((size) => size * kilobytes);
    for (const size of sizes) {
      const bytes = Buffer.alloc(size, 0xf5);
      await rig.publisher.publishOne(`large/${size}`, 'x'.repeat(size));
      await rig.publisher.publishOne(`large/${size}`, bytes);
    }
    await beside;
    await rig.settled(30_000);
    const verdict = await rig.verdict([bridge], { note: `RSS ${bridge.rssMegabytes()} MB` });
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(2);
  });
});
