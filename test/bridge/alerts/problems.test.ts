import { expect, test } from 'vitest';
import type { Condition } from '../../../bridge/alerts/condition.ts';
import { problemsOf } from '../../../bridge/alerts/problems.ts';
import { fc } from '../../support/property.ts';

const quiet = { notReady: [], conditions: [], failedCommands: undefined };
const condition = (kind: Condition['kind']): Condition => ({ kind, subject: 'a', reason: 'b' });

test('all is well where nobody says otherwise', () => {
  expect(problemsOf(quiet)).toEqual({ severity: 0, reasons: [] });
});

test.each(['dead-letters', 'session-lost', 'certificate'] as const)(
  '%s is to be looked at',
  (kind) => {
    expect(problemsOf({ ...quiet, conditions: [condition(kind)] })).toEqual({
      severity: 1,
      reasons: [`${kind} (a): b`],
    });
  },
);

test('failed commands are to be looked at', () => {
  const failedCommands = { count: 3, sinceMs: 0 };
  expect(problemsOf({ ...quiet, failedCommands })).toMatchObject({ severity: 1 });
});

test('what does not flow goes before all else, and is told once', () => {
  const conditions = [condition('holding'), condition('certificate')];
  const notReady = ['route a: holding: b'];
  expect(problemsOf({ ...quiet, notReady, conditions })).toEqual({
    severity: 2,
    reasons: ['route a: holding: b', 'certificate (a): b'],
  });
});

test('the reasons have a bound, the severity does not depend on it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2000 }), { maxLength: 100 }), (notReady) => {
      const { severity, reasons } = problemsOf({ ...quiet, notReady });
      expect(severity).toBe(notReady.length > 0 ? 2 : 0);
      expect(reasons.length).toBe(Math.min(10, notReady.length));
      for (const reason of reasons) expect(reason.length).toBeLessThanOrEqual(300);
    }),
  );
});
