import { describe, expect, test } from 'vitest';
import {
  asksForRetry,
  changedState,
  neverChanged,
  parseRouteState,
  type RouteChange,
  type RouteState,
} from '../../../bridge/routes/route-state.ts';
import { fc } from '../../support/property.ts';

const at = '2026-01-31T12:00:00.000Z';
const change: fc.Arbitrary<RouteChange> = fc.oneof(
  fc.record(
    { kind: fc.constantFrom('pause' as const, 'resume' as const), by: fc.string({ minLength: 1 }) },
    { requiredKeys: ['kind'] },
  ),
  fc.record({
    kind: fc.constant('gone' as const),
    reason: fc.string({ minLength: 1 }),
    version: fc.nat({ max: 6 }),
  }),
);
const stateAfter = (...changes: RouteChange[]) =>
  changes.reduce((state, one) => changedState(state, one, at), neverChanged);

describe('a change', () => {
  test('counts the version up by one, or changes nothing', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        let state: RouteState = neverChanged;
        for (const one of changes) {
          const next = changedState(state, one, at);
          if (next === state) continue;
          expect(next.version).toBe(state.version + 1);
          expect(next.kind).not.toBe(state.kind);
          state = next;
        }
      }),
    );
  });

  test('a person goes before the handler, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), fc.nat({ max: 30 }), (changes, version) => {
        const state = stateAfter(...changes);
        const paused = changedState(state, { kind: 'pause' }, at);
        expect(paused.kind).toBe('paused');
        const late = { kind: 'gone', reason: 'gone', version } as const;
        expect(changedState(paused, late, at)).toBe(paused);
        expect(changedState(paused, { kind: 'resume' }, at).kind).toBe('active');
        expect(changedState(state, { kind: 'resume' }, at).kind).toBe('active');
      }),
    );
  });

  test('410 disables a route that is active, until it is resumed', () => {
    const gone = { kind: 'gone', reason: 'the handler answered 410', version: 0 } as const;
    expect(stateAfter(gone)).toEqual({
      kind: 'disabled',
      version: 1,
      since: at,
      reason: 'the handler answered 410',
    });
    expect(stateAfter(gone, { kind: 'resume', by: 'token:a' })).toEqual({
      kind: 'active',
      version: 2,
      since: at,
      by: 'token:a',
    });
  });

  test('a retry is asked for by a state of an active route that tells of it, and by a resume', () => {
    const retried = changedState(neverChanged, { kind: 'retry' }, at);
    expect(retried).toEqual({ kind: 'active', version: 1, retriedAt: at });
    expect(asksForRetry(neverChanged, retried)).toBe(true);
    expect(asksForRetry(retried, retried)).toBe(false);
    const paused = stateAfter({ kind: 'retry' }, { kind: 'pause' });
    expect(changedState(paused, { kind: 'retry' }, at)).toBe(paused);
    expect(asksForRetry(retried, paused)).toBe(false);
    const resumed = changedState(paused, { kind: 'resume' }, at);
    expect(asksForRetry(paused, resumed)).toBe(true);
    expect(asksForRetry(neverChanged, neverChanged)).toBe(false);
  });

  test('410 to a request from before a resume says nothing about the time after it', () => {
    const late = { kind: 'gone', reason: 'gone', version: 1 } as const;
    expect(stateAfter({ kind: 'pause' }, { kind: 'resume' }, late).kind).toBe('active');
  });
});

test.each([
  ['{"kind":"paused","version":3,"by":"token:a"}', { kind: 'paused', version: 3, by: 'token:a' }],
  ['{"kind":"halted","version":3}', undefined],
  ['{"kind":"paused","version":-1}', undefined],
  ['{"kind":"pau', undefined],
  ['', undefined],
])('stored as %s', (text, state) => {
  expect(parseRouteState(text)).toEqual(state);
});
