import { expect, test } from 'vitest';
import { Waiters } from '../../../bridge/commands/waiters.ts';
import type { WaitFor } from '../../../functions/contract/command.ts';

const id = 'a';

async function isReached(waiters: Waiters, waitFor: WaitFor, ...statuses: ('sent' | 'expired')[]) {
  const waiter = waiters.add(id, waitFor);
  for (const status of statuses) waiters.tell({ id, status });
  const later = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  const reached = await Promise.race([waiter.reached.then(() => true), later]);
  waiter.end();
  return reached;
}

test('each waits for what it asked for', async () => {
  const waiters = new Waiters();
  expect(await isReached(waiters, 'none')).toBe(true);
  expect(await isReached(waiters, 'broker')).toBe(false);
  expect(await isReached(waiters, 'broker', 'sent')).toBe(true);
  expect(await isReached(waiters, 'reply', 'sent')).toBe(false);
  expect(await isReached(waiters, 'reply', 'sent', 'expired')).toBe(true);
  expect(waiters.size).toBe(0);
});

test('an older state changes nothing', () => {
  const waiters = new Waiters();
  const waiter = waiters.add(id, 'broker');
  waiters.tell({ id, status: 'sent', sentAt: 'now' });
  waiters.tell({ id, status: 'pending' });
  expect(waiter.outcome).toEqual({ id, status: 'sent', sentAt: 'now' });
});

test('several wait for one command, and all are let go at the end', async () => {
  const waiters = new Waiters();
  const all = [waiters.add(id, 'reply'), waiters.add(id, 'broker'), waiters.add('b', 'reply')];
  waiters.releaseAll();
  await Promise.all(all.map(({ reached }) => reached));
  expect(waiters.size).toBe(3);
  for (const waiter of all) {
    waiter.end();
    waiter.end();
  }
  expect(waiters.size).toBe(0);
});
