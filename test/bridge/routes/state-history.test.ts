// The states that a route has had: one entry for each change, by whom where it was somebody.
import { expect, test } from 'vitest';
import { StateHistory } from '../../../bridge/routes/state-history.ts';

const startMs = Date.parse('2026-01-31T12:00:00Z');
const dayMs = 86_400_000;

test('each change once, and who made it: not who paused it long before a hold', () => {
  const history = new StateHistory(10);
  const paused = { since: 's1', by: 'token:a' };
  const resumed = { since: 's2', by: 'token:b' };
  const looks = [
    { state: 'active' },
    { state: 'active' },
    { state: 'paused', ...paused },
    { state: 'paused', ...paused },
    { state: 'active', ...resumed },
    { state: 'holding', reason: 'no answer', ...resumed },
    { state: 'holding', reason: 'another one', ...resumed },
    { state: 'active', ...resumed },
  ] as const;
  for (const [second, look] of looks.entries()) history.look(look, startMs + second * 1000);
  const at = (second: number) => new Date(startMs + second * 1000).toISOString();
  expect(history.all()).toEqual([
    { at: at(7), state: 'active', before: 'holding' },
    { at: at(5), state: 'holding', before: 'active', reason: 'no answer' },
    { at: at(4), state: 'active', before: 'paused', by: 'token:b' },
    { at: at(2), state: 'paused', before: 'active', by: 'token:a' },
    { at: at(0), state: 'active' },
  ]);
});

test('so many, and of a day with the one that it began with', () => {
  const history = new StateHistory(3);
  const states = ['active', 'holding', 'active', 'holding'] as const;
  for (const [second, state] of states.entries()) history.look({ state }, startMs + second * 1000);
  expect(history.all()).toHaveLength(3);
  history.look({ state: 'active' }, startMs + dayMs + 2500);
  expect(history.all().map(({ state }) => state)).toEqual(['active', 'holding', 'active']);
  history.look({ state: 'holding' }, startMs + 3 * dayMs);
  expect(history.all().map(({ state }) => state)).toEqual(['holding', 'active']);
});
