// The laws of presence: whatever order events come in, and however often, the true one holds.

import { describe, expect, test } from 'vitest';
import {
  nextPresence,
  type Place,
  type PresenceEvent,
  type PresenceRecord,
  type PresenceState,
} from '../../../functions/contract/presence.ts';
import { fc } from '../../support/property.ts';

const at = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const beginMs = Date.parse('2026-01-01T00:00:00Z');

function event(status: 'online' | 'offline', place: Place, reason?: string): PresenceEvent {
  return { clientId: 'c', status, place, ...(reason !== undefined && { reason }) };
}

interface Outcome {
  readonly state: PresenceState | undefined;
  readonly records: readonly PresenceRecord[];
}

function fold(events: readonly PresenceEvent[], from?: PresenceState): Outcome {
  let state = from;
  const records: PresenceRecord[] = [];
  for (const one of events) {
    const folded = nextPresence(state, one);
    state = folded.state;
    records.push(...folded.records);
  }
  return { state, records };
}

/** What does not depend on the order. */
function truthOf(state: PresenceState | undefined) {
  return state && [state.status, state.since, state.lastEventAt, state.place, state.reason];
}

/** Connections one after the other: how long each was away before, how long it lasted, and whether it was taken over. */
const connections = fc.array(
  fc.record({
    awayMs: fc.integer({ min: 1, max: 3 * hourMs }),
    lastsMs: fc.integer({ min: 1, max: 3 * hourMs }),
    takenOver: fc.boolean(),
    skip: fc.integer({ min: 1, max: 1000 }),
    jitterMs: fc.tuple(
      fc.integer({ min: -2 * minuteMs, max: 2 * minuteMs }),
      fc.integer({ min: -2 * minuteMs, max: 2 * minuteMs }),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);
type Connections = typeof connections extends fc.Arbitrary<infer T> ? T : never;

/** A true history in order, without the end of the last connection where `open`. */
type History = (given: Connections, open: boolean) => PresenceEvent[];

const embedded: History = (given, open) => {
  let ms = beginMs;
  let epoch = 2 ** 32;
  return given
    .flatMap(({ awayMs, lastsMs, takenOver, skip }) => {
      // A connection that is taken over ends after the next one has begun.
      ms += takenOver ? 0 : awayMs;
      epoch += skip;
      const base = { source: 'embedded', connection: epoch } as const;
      const begin = event('online', { ...base, step: 1, at: at(ms) });
      ms += lastsMs;
      const end = event(
        'offline',
        { ...base, step: 2, at: at(ms + 5) },
        takenOver ? 'takeover' : 'clean',
      );
      return [begin, end];
    })
    .slice(0, open ? -1 : undefined);
};

const awsIot: History = (given, open) => {
  let ms = beginMs;
  let version = 0;
  return given
    .flatMap(({ awayMs, lastsMs, takenOver, skip, jitterMs: [first, second] }, index) => {
      // "If a client is not connected for approximately one hour, the version number is reset to 0."
      const offlineMs = takenOver || index === 0 ? 0 : awayMs;
      version = offlineMs >= 50 * minuteMs ? 0 : version + (index === 0 ? 0 : skip);
      ms += offlineMs;
      const base = { source: 'aws-iot', connection: version } as const;
      const begin = event('online', { ...base, step: 1, at: at(ms + first) });
      ms += lastsMs;
      const end = event('offline', { ...base, step: 2, at: at(ms + second) }, 'CONNECTION_LOST');
      return [begin, end];
    })
    .slice(0, open ? -1 : undefined);
};

const emqx =
  (knowsBegin: boolean): History =>
  (given, open) => {
    let ms = beginMs;
    return given
      .flatMap(({ awayMs, lastsMs, takenOver }) => {
        ms += takenOver && knowsBegin ? 1 : awayMs;
        const begun = ms;
        const begin = event('online', {
          source: 'emqx',
          connection: begun,
          step: 1,
          at: at(begun),
        });
        ms += lastsMs;
        const endMs = takenOver && knowsBegin ? ms + 5 : ms;
        const end = event('offline', {
          source: 'emqx',
          connection: knowsBegin ? begun : endMs,
          step: knowsBegin ? 2 : 0,
          at: at(endMs),
        });
        return [begin, end];
      })
      .slice(0, open ? -1 : undefined);
  };

/** Any order of the events, each there one to three times. */
function disordered(events: readonly PresenceEvent[]): fc.Arbitrary<PresenceEvent[]> {
  const doubled = fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: events.length, maxLength: events.length })
    .map((times) => events.flatMap((one, index) => Array(times[index]).fill(one)));
  return doubled.chain((all) =>
    fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
  );
}

describe.each([
  ['embedded', embedded],
  ['aws-iot, with times that are wrong by two minutes and numbers that start again', awsIot],
  ['emqx, which says when a connection began', emqx(true)],
  ['emqx, which does not', emqx(false)],
] as const)('%s', (_, history) => {
  const cases = fc
    .tuple(connections, fc.boolean())
    .map(([given, open]) => history(given, open))
    .chain((events) => disordered(events).map((delivered) => ({ events, delivered })));

  test('the state is the true one, in any order and with any doubles', () => {
    fc.assert(
      fc.property(cases, ({ events, delivered }) => {
        const last = events.at(-1);
        const { state } = fold(delivered);
        expect([state?.status, state?.since, state?.place]).toEqual([
          last?.status,
          last?.place.at,
          last?.place,
        ]);
        expect(truthOf(state)).toEqual(truthOf(fold(events).state));
      }),
      { numRuns: 300 },
    );
  });

  test('what has been folded changes nothing when it comes again', () => {
    fc.assert(
      fc.property(cases, ({ delivered }) => {
        const { state } = fold(delivered);
        for (const one of delivered) expect(nextPresence(state, one).state).toBe(state);
      }),
    );
  });

  test('the history of a calm client has every event once', () => {
    fc.assert(
      fc.property(cases, ({ events, delivered }) => {
        // Few enough to be calm in any order.
        fc.pre(events.length <= 10 && delivered.length <= 10);
        const keyOf = ({ at: time, event: kind }: PresenceRecord) => `${time} ${kind}`;
        const keys = new Set(fold(delivered).records.map(keyOf));
        const expected = events.map(
          ({ status, place }) =>
            `${place.at} ${status === 'online' ? 'connected' : 'disconnected'}`,
        );
        expect([...keys].sort()).toEqual([...new Set(expected)].sort());
      }),
    );
  });
});

describe('last-will', () => {
  const told = (status: 'online' | 'offline', ms: number) =>
    event(status, { source: 'last-will', connection: ms * 1000, step: 1, at: at(ms) });

  test('what was received last holds, in any order and with any doubles', () => {
    const cases = fc
      .array(fc.constantFrom('online' as const, 'offline' as const), {
        minLength: 1,
        maxLength: 20,
      })
      .map((statuses) => statuses.map((status, index) => told(status, beginMs + index)))
      .chain((events) => disordered(events).map((delivered) => ({ events, delivered })));
    fc.assert(
      fc.property(cases, ({ events, delivered }) => {
        const { state } = fold(delivered);
        expect([state?.status, state?.place]).toEqual([
          events.at(-1)?.status,
          events.at(-1)?.place,
        ]);
      }),
    );
  });

  test('a status that is told again is no new connection', () => {
    const { state, records } = fold([
      told('online', beginMs),
      told('online', beginMs + hourMs),
      told('online', beginMs + 2 * hourMs),
    ]);
    expect(state).toMatchObject({ since: at(beginMs), lastEventAt: at(beginMs + 2 * hourMs) });
    expect([state?.damping.flaps, records.length]).toEqual([0, 1]);
  });
});

test('a disconnect of an old connection never puts a reconnected client offline', () => {
  const [first, , second] = embedded(
    [
      { awayMs: 1, lastsMs: 10, takenOver: true, skip: 1, jitterMs: [0, 0] },
      { awayMs: 1, lastsMs: 10, takenOver: true, skip: 1, jitterMs: [0, 0] },
    ],
    true,
  );
  const late = embedded(
    [{ awayMs: 1, lastsMs: 10, takenOver: true, skip: 1, jitterMs: [0, 0] }],
    false,
  )[1];
  if (!first || !second || !late) throw new Error('no such history');
  expect(fold([first, second, late]).state?.status).toBe('online');
});

test('when the source changes, the later event holds', () => {
  const old = event('online', {
    source: 'embedded',
    connection: 2 ** 40,
    step: 1,
    at: at(beginMs),
  });
  const next = (ms: number) =>
    event('offline', { source: 'last-will', connection: ms * 1000, step: 1, at: at(ms) });
  expect(fold([old, next(beginMs + 1)]).state?.status).toBe('offline');
  expect(fold([old, next(beginMs - 1)]).state?.status).toBe('online');
});

describe('a client that flaps', () => {
  const everyMs = 5000;
  const flap = (times: number, from = 0): PresenceEvent[] =>
    Array.from({ length: times }, (_, index) => {
      const number = from + index;
      return event(number % 2 === 0 ? 'online' : 'offline', {
        source: 'embedded',
        connection: Math.floor(number / 2) + 1,
        step: number % 2 === 0 ? 1 : 2,
        at: at(beginMs + number * everyMs),
      });
    });

  test('shows its state, and counts, but no longer records each event', () => {
    const { state, records } = fold(flap(1000));
    expect(state).toMatchObject({ status: 'offline', since: at(beginMs + 999 * everyMs) });
    expect(state?.damping).toMatchObject({ flapping: true, flaps: 999 });
    expect(records.length).toBeLessThan(15);
    expect(records.at(-1)?.event).toBe('flapping');
    expect((state?.unrecorded ?? 0) + records.length - 1).toBe(1000);
  });

  test('counts the same where all begins come before the ends, as on two topics they can', () => {
    for (const times of [9, 10, 16]) {
      const inOrder = fold(flap(times)).state?.damping;
      const apart = flap(times).sort((a, b) => a.place.step - b.place.step);
      expect(fold(apart).state?.damping).toMatchObject({
        flaps: inOrder?.flaps,
        flapping: inOrder?.flapping,
      });
    }
  });

  test('is recorded again once it has been calm, and how much was not is said', () => {
    const { state } = fold(flap(100));
    const back = event('online', {
      source: 'embedded',
      connection: 1000,
      step: 1,
      at: at(beginMs + 100 * everyMs + 21 * minuteMs),
    });
    const after = fold([back], state);
    expect(after.records.map(({ event: kind }) => kind)).toEqual(['calm', 'connected']);
    expect(after.records[0]?.unrecorded).toBe(state?.unrecorded);
    expect(after.state).toMatchObject({
      unrecorded: 0,
      damping: { flapping: false },
    });
  });

  test('ends in the true state all the same', () => {
    fc.assert(
      fc.property(disordered(flap(60)), (delivered) => {
        expect(truthOf(fold(delivered).state)).toEqual(truthOf(fold(flap(60)).state));
      }),
      { numRuns: 30 },
    );
  });
});
