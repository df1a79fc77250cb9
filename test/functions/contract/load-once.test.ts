// What is loaded once: for all who ask, and again after a failure.
import { expect, test } from 'vitest';
import { loadOnce } from '../../../functions/contract/load-once.ts';

test('loads once for all who ask, and again after a failure', async () => {
  const answers = [Promise.reject(new Error('not now')), Promise.resolve('loaded')];
  let calls = 0;
  const load = loadOnce(async () => answers[calls++] ?? 'too often');
  const first = await Promise.allSettled([load(), load()]);
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await Promise.all([load(), load()])).toEqual(['loaded', 'loaded']);
  expect(await load()).toBe('loaded');
  expect(calls).toBe(2);
});
