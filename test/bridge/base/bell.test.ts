import { expect, test } from 'vitest';
import { Bell } from '../../../bridge/base/bell.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A worker, and how often it was woken. */
function startWorker(bell: Bell) {
  const worker = { rounds: 0 };
  const work = async () => {
    for (;;) {
      await bell.rung();
      worker.rounds++;
    }
  };
  void work();
  return worker;
}

test('any number of rings in one turn of the event loop cause one round', async () => {
  const bell = new Bell();
  const worker = startWorker(bell);
  await turn();
  expect(worker.rounds).toBe(0);
  bell.ring();
  // The worker is awake by now.
  await Promise.resolve();
  for (let ring = 0; ring < 5; ring++) bell.ring();
  await turn();
  await turn();
  expect(worker.rounds).toBe(1);
  await turn();
  expect(worker.rounds).toBe(1);
});

test('any number of rings during a round cause one more', async () => {
  const bell = new Bell();
  let rounds = 0;
  const work = async () => {
    for (;;) {
      await bell.rung();
      if (++rounds === 1) for (let ring = 0; ring < 5; ring++) bell.ring();
      await turn();
    }
  };
  void work();
  bell.ring();
  for (let turns = 0; turns < 10; turns++) await turn();
  expect(rounds).toBe(2);
});
