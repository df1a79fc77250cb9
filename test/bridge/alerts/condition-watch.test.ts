import { expect, test } from 'vitest';
import type { Condition } from '../../../bridge/alerts/condition.ts';
import { type Change, ConditionWatch } from '../../../bridge/alerts/condition-watch.ts';
import { fc } from '../../support/property.ts';

const holding = (subject = 'store', reason = 'the handler answered 503'): Condition => ({
  kind: 'holding',
  subject,
  reason,
});
const brief = ({ kind, condition, sinceMs, atMs }: Change) => [
  kind,
  condition.subject,
  sinceMs,
  atMs,
];

test('without a time to last: told at once, and when it is over', () => {
  const watch = new ConditionWatch(0);
  expect(watch.look([holding()], 1000).map(brief)).toEqual([['began', 'store', 1000, 1000]]);
  expect(watch.look([holding()], 2000)).toEqual([]);
  expect(watch.look([holding('store', 'timeout')], 3000).map(brief)).toEqual([
    ['changed', 'store', 1000, 3000],
  ]);
  expect(watch.look([], 4000).map(brief)).toEqual([['ended', 'store', 1000, 4000]]);
  expect(watch.look([], 5000)).toEqual([]);
});

test('what is over before it has lasted is not told, and a short break does not end it', () => {
  const watch = new ConditionWatch(10_000);
  expect(watch.look([holding()], 0)).toEqual([]);
  expect(watch.look([], 5000)).toEqual([]);
  expect(watch.look([holding()], 6000)).toEqual([]);
  expect(watch.look([holding()], 15_999)).toEqual([]);
  expect(watch.look([holding()], 16_000).map(brief)).toEqual([['began', 'store', 6000, 16_000]]);
  expect(watch.look([], 20_000)).toEqual([]);
  expect(watch.look([holding()], 21_000)).toEqual([]);
  expect(watch.look([], 30_999)).toEqual([]);
  expect(watch.look([], 31_000).map(brief)).toEqual([['ended', 'store', 6000, 31_000]]);
});

test('since when it is so, the condition itself may know', () => {
  const watch = new ConditionWatch(10_000);
  const since = { ...holding(), sinceMs: 100 };
  expect(watch.look([since], 10_100).map(brief)).toEqual([['began', 'store', 100, 10_100]]);
});

test('of each condition, begin and end come in turns, whatever happens', () => {
  const subjects = fc.subarray(['a', 'b', 'c']);
  fc.assert(
    fc.property(fc.nat(5000), fc.array(subjects, { maxLength: 40 }), (afterMs, looks) => {
      const watch = new ConditionWatch(afterMs);
      const open = new Set<string>();
      const steps = [...looks, [], [], [], [], [], [], []];
      for (const [index, names] of steps.entries())
        for (const { kind, condition } of watch.look(
          names.map((name) => holding(name)),
          index * 1000,
        )) {
          const { subject } = condition;
          expect(kind).toBe(open.has(subject) ? 'ended' : 'began');
          if (kind === 'began') open.add(subject);
          else open.delete(subject);
        }
      expect(open.size).toBe(0);
    }),
  );
});
