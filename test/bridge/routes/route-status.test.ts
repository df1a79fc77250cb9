import { expect, test } from 'vitest';
import { neverChanged } from '../../../bridge/routes/route-state.ts';
import { problemsOf, type RouteParts, statePartsOf } from '../../../bridge/routes/route-status.ts';

const flowing: RouteParts = {
  stored: neverChanged,
  unreadReason: undefined,
  sessions: [{ kind: 'active' }],
  holding: undefined,
};
const disconnected = { kind: 'disconnected', reason: 'ECONNREFUSED' } as const;
const paused = { kind: 'paused', version: 1, since: '2026-01-31T12:00:00.000Z', by: 'me' } as const;
const disabled = { kind: 'disabled', version: 1, reason: 'answered 410' } as const;

test.each<[string, Partial<RouteParts>, object, string[]]>([
  ['flows', {}, { state: 'active' }, []],
  [
    'holds',
    { holding: 'answered 503' },
    { state: 'holding', reason: 'answered 503' },
    ['route a: holding: answered 503'],
  ],
  [
    'has lost a session',
    { sessions: [{ kind: 'active' }, disconnected], holding: 'answered 503' },
    { state: 'disconnected', reason: 'ECONNREFUSED' },
    ['route a: disconnected: ECONNREFUSED', 'route a: holding: answered 503'],
  ],
  ['stands by', { sessions: [{ kind: 'standby' }] }, { state: 'standby' }, []],
  [
    'is paused, whatever else',
    { stored: paused, holding: 'answered 503' },
    { state: 'paused', since: paused.since, by: 'me' },
    [],
  ],
  [
    'is disabled, also on standby',
    { stored: disabled, sessions: [{ kind: 'standby' }] },
    { state: 'disabled', reason: 'answered 410' },
    ['route a: disabled: answered 410'],
  ],
  [
    'cannot know whether it is paused',
    { stored: undefined, unreadReason: 'no answer' },
    { state: 'unknown', reason: 'no answer' },
    ['route a: its state cannot be read: no answer'],
  ],
])('a route that %s', (_, parts, state, problems) => {
  expect(statePartsOf({ ...flowing, ...parts })).toEqual(state);
  expect(problemsOf('a', { ...flowing, ...parts })).toEqual(problems);
});
