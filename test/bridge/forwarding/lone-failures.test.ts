import { expect, test } from 'vitest';
import { LoneFailures } from '../../../bridge/forwarding/lone-failures.ts';

const aloneSeconds = 60;
const own = true;
const gateways = false;

/** Whether the message is given up at each of these times, in seconds. */
const failsAt = (
  lone: LoneFailures<string>,
  run: readonly string[],
  seconds: readonly number[],
  isOwn = own,
) => seconds.map((second) => lone.failed(run, isOwn, second * 1000));

test('off by default', () => {
  expect(failsAt(new LoneFailures(undefined), ['a'], [0, 1e6])).toEqual([false, false]);
});

test('a message that fails alone is given up after its time', () => {
  expect(failsAt(new LoneFailures(aloneSeconds), ['a'], [0, 59, 60])).toEqual([false, false, true]);
});

test('one that fails in company, or not by the handler itself, never is', () => {
  const lone = new LoneFailures<string>(aloneSeconds);
  expect(failsAt(lone, ['a', 'b'], [0, 3600])).toEqual([false, false]);
  expect(failsAt(lone, ['a'], [0, 3600, 7200], gateways)).toEqual([false, false, false]);
});

test('a failure that is not the handler’s own starts the wait again', () => {
  const lone = new LoneFailures<string>(aloneSeconds);
  failsAt(lone, ['a'], [0]);
  failsAt(lone, ['b', 'c'], [30], gateways);
  expect(failsAt(lone, ['a'], [61, 120, 121])).toEqual([false, false, true]);
});

test('between two successes one is given up, and each further one waits twice as long', () => {
  const lone = new LoneFailures<string>(aloneSeconds);
  failsAt(lone, ['a'], [0, 60]);
  lone.gaveUp('a');
  expect(failsAt(lone, ['b'], [60, 10_000])).toEqual([false, false]);
  lone.served(['c']);
  expect(failsAt(lone, ['d'], [20_000, 20_119, 20_120])).toEqual([false, false, true]);
  lone.gaveUp('d');
  lone.served(['e']);
  expect(failsAt(lone, ['f'], [30_000, 30_239, 30_240])).toEqual([false, false, true]);
});
