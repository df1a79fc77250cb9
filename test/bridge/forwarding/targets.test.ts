import { expect, test } from 'vitest';
import { Targets } from '../../../bridge/forwarding/targets.ts';
import { verdictOf } from '../../../bridge/handler/verdict.ts';

const afterMs = 60_000;
const urlOf = (device: string | number) => new URL(`https://handler.example/devices/${device}/t`);

/** Targets on a clock in seconds, which answer with a status. */
function targetsAt() {
  const targets = new Targets(afterMs);
  let nowMs = 0;
  return {
    targets,
    at(seconds: number) {
      nowMs = seconds * 1000;
    },
    isAsked: (device: string | number) => targets.passedOver(urlOf(device), nowMs) === undefined,
    answers(device: string | number, status: number, retryAfter?: string) {
      const answer = {
        kind: 'response',
        status,
        body: '',
        ...(retryAfter && { retryAfter }),
      } as const;
      const verdict = verdictOf(answer, () => false, nowMs);
      return targets.judged(urlOf(device), { verdict, status }, nowMs);
    },
  };
}

test.each([404, 410, 429])('%d is about its target: tried for a while, then given up', (status) => {
  const { at, isAsked, answers } = targetsAt();
  expect(answers('a', status)).toEqual({
    kind: 'target refused',
    reason: `the handler answered ${status} for its URL`,
    isGivenUp: false,
    minWaitMs: 0,
    maxWaitMs: 60_000,
  });
  at(59);
  expect(isAsked('a')).toBe(true);
  expect(answers('a', status)).toMatchObject({ isGivenUp: false, maxWaitMs: 1000 });
  at(60);
  expect(answers('a', status)).toMatchObject({ isGivenUp: true });
  expect([isAsked('a'), isAsked('b')]).toEqual([false, true]);
});

test('Retry-After is waited for, within that time', () => {
  const { answers } = targetsAt();
  expect(answers('a', 429, '30')).toMatchObject({ minWaitMs: 30_000 });
  expect(answers('b', 429, '3600')).toMatchObject({ minWaitMs: 60_000, isGivenUp: false });
});

test('a refused target is asked with one message a minute, until one is taken', () => {
  const { at, isAsked, answers, targets } = targetsAt();
  answers('a', 410);
  at(60);
  answers('a', 410);
  const asked = Array.from({ length: 10 }, (_, index) => {
    at(61 + index * 20);
    return isAsked('a');
  });
  // At 120, 180 and 240 seconds.
  expect(asked.filter(Boolean)).toHaveLength(3);
  expect(answers('a', 503)).toMatchObject({ kind: 'hold' });
  expect(isAsked('a')).toBe(true);
  answers('a', 204);
  expect([isAsked('a'), isAsked('a'), targets.size]).toEqual([true, true, 0]);
});

test('three new targets in a row speak against the route', () => {
  const { answers, targets } = targetsAt();
  expect([answers(1, 410).kind, answers(1, 410).kind, answers(2, 410).kind]).toEqual([
    'target refused',
    'target refused',
    'target refused',
  ]);
  expect(answers(3, 410)).toEqual({ kind: 'gone', reason: 'the handler answered 410' });
  // Once the route goes on, nothing is held against them.
  expect(targets.size).toBe(0);
});

test('they do not with a success between them, or while others succeed', () => {
  const { at, answers } = targetsAt();
  answers(1, 404);
  answers(2, 404);
  answers(9, 204);
  expect(answers(3, 404).kind).toBe('target refused');
  expect(answers(4, 404).kind).toBe('target refused');
  expect(answers(5, 404).kind).toBe('target refused');
  at(2);
  expect(answers(6, 404).kind).toBe('hold');
});

test('other answers are about the route', () => {
  const { answers } = targetsAt();
  for (const status of [401, 403, 405, 500, 503]) expect(answers('a', status).kind).toBe('hold');
  expect(answers('a', 422).kind).toBe('rejected');
});

test('what is remembered is bounded, however long the URLs are', () => {
  const { answers, targets } = targetsAt();
  for (let device = 0; device < 11_000; device++) {
    answers('well', 204);
    answers(`${device}-${'x'.repeat(100)}`, 404);
  }
  expect(targets.size).toBe(10_000);
});
