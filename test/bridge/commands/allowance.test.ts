import { expect, test } from 'vitest';
import { Allowance } from '../../../bridge/commands/allowance.ts';

/** Takes without waiting for it, and notes when it was granted. */
function taker(allowance: Allowance) {
  const granted: string[] = [];
  return {
    granted,
    take(name: string, bytes?: number) {
      void allowance.take(bytes).then(() => granted.push(name));
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('no more than the count; first come, first served', async () => {
  const allowance = new Allowance(2);
  const { granted, take } = taker(allowance);
  for (const name of ['a', 'b', 'c', 'd']) take(name);
  await turn();
  expect(granted).toEqual(['a', 'b']);
  allowance.give();
  await turn();
  expect(granted).toEqual(['a', 'b', 'c']);
  expect(allowance.count).toBe(2);
});

test('no more than the bytes, but one alone may be larger; a small one does not overtake', async () => {
  const allowance = new Allowance(10, 100);
  const { granted, take } = taker(allowance);
  take('huge', 500);
  take('small', 1);
  await turn();
  expect(granted).toEqual(['huge']);
  allowance.give(500);
  take('large', 100);
  take('tiny', 1);
  await turn();
  expect(granted).toEqual(['huge', 'small']);
  allowance.give(1);
  await turn();
  expect(granted).toEqual(['huge', 'small', 'large']);
});
