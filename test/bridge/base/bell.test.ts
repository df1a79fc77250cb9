import { expect, test } from 'vitest';
import { Bell } from '../../../bridge/base/bell.ts';

test('any number of rings during a round cause one more', async () => {
  const bell = new Bell();
  let rounds = 0;
  const work = async () => {
    for (;;) {
      await bell.rung();
      rounds++;
    }
  };
  void work();
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(rounds).toBe(0);
  for (let ring = 0; ring < 5; ring++) bell.ring();
  await turn();
  expect(rounds).toBe(1);
  bell.ring();
  await turn();
  expect(rounds).toBe(2);
});
