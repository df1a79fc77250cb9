import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LeaseLooks, type Look } from '../../../bridge/base/lease-looks.ts';

const look: Look = { leases: new Map(), living: new Set(), ours: new Set() };
const never = new AbortController().signal;

/** Looks whose clock stands still until it is let go on. */
function looks() {
  const delays: (() => void)[] = [];
  let reads = 0;
  const those = new LeaseLooks({
    read: async () => {
      reads++;
      await turn();
      return look;
    },
    pollMs: () => 1000,
    clock: { nowMs: () => 0, delay: () => new Promise((resolve) => delays.push(resolve)) },
  });
  return {
    looks: those,
    reads: () => reads,
    async goOn() {
      delays.shift()?.();
      await turn();
      await turn();
    },
  };
}

test('who asks while a look is under way has that one', async () => {
  const { looks: those, reads } = looks();
  expect(await Promise.all([those.now(), those.now()])).toEqual([look, look]);
  expect(reads()).toBe(1);
  await those.now();
  expect(reads()).toBe(2);
});

test('one look answers all that wait for the next, and none follows unless somebody asks again', async () => {
  const { looks: those, reads, goOn } = looks();
  const waiting = Promise.all([those.next(never), those.next(never)]);
  expect([those.isPolling, reads()]).toEqual([true, 0]);
  await goOn();
  expect(await waiting).toEqual([look, look]);
  expect(reads()).toBe(1);
  const again = those.next(never);
  await goOn();
  expect(those.isPolling).toBe(true);
  await goOn();
  expect(await again).toEqual(look);
  await goOn();
  expect([those.isPolling, reads()]).toEqual([false, 2]);
});

test('who is called off waits no longer', async () => {
  const { looks: those, reads, goOn } = looks();
  const off = new AbortController();
  const called = those.next(off.signal);
  off.abort();
  expect(await called).toBeUndefined();
  expect(await those.next(off.signal)).toBeUndefined();
  await goOn();
  await goOn();
  expect(those.isPolling).toBe(false);
  expect(reads()).toBe(1);
});
