// That a property which is cut off by its time limit leaves nothing behind.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fc } from './property.ts';

/** Its first run ends at once: without any, the interruption would be a failure. All others outlast the limit. */
const limit = { interruptAfterTimeLimit: 40, markInterruptAsFailure: false };
const runMs = 500;

test('a run that the time limit interrupts has ended when the assertion resolves', async () => {
  let started = 0;
  let ended = 0;
  const slow = fc.asyncProperty(fc.nat(), async () => {
    if (started++ > 0) await delay(runMs);
    ended++;
  });
  await fc.assert(slow, limit);
  expect(started).toBeGreaterThan(1);
  expect(ended).toBe(started);
});

test('what it finds then is a failure', async () => {
  let started = 0;
  const failing = fc.asyncProperty(fc.nat(), async () => {
    if (started++ === 0) return;
    await delay(runMs);
    throw new Error('found late');
  });
  await expect(fc.assert(failing, limit)).rejects.toThrow('found late');
});

test('one that is not asynchronous fails at once, with a time limit too', () => {
  expect(() =>
    fc.assert(
      fc.property(fc.nat(), () => false),
      limit,
    ),
  ).toThrow();
});
