// Times of receipt whatever the clock does, and over restarts and takeovers.

import { describe, expect, test } from 'vitest';
import {
  type ClockStep,
  type KeptStamps,
  maxAheadMs,
  parseStamps,
  ReceiptClock,
  reserveMs,
} from '../../../bridge/session/receipt-clock.ts';
import { fc } from '../../support/property.ts';

const startMs = Date.parse('2026-06-01T12:00:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A clock that somebody sets, and what the receipt clock made of it. */
function rig(ms = startMs, kept?: KeptStamps) {
  const steps: ClockStep[] = [];
  const system = { ms };
  const clock = new ReceiptClock(
    () => system.ms,
    (step) => steps.push(step),
  );
  if (kept !== undefined) clock.resume(kept, ms);
  return { clock, system, steps };
}

const killed = (clock: ReceiptClock) => clock.kept(false) ?? expect.fail('nothing to keep');
const stopped = (clock: ReceiptClock) => clock.kept(true) ?? expect.fail('nothing to keep');

test('times strictly increase, also when the clock stands still or is set back by up to a minute', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -maxAheadMs / 20, max: 500 }), { minLength: 2, maxLength: 20 }),
      (changes) => {
        const { clock, system, steps } = rig();
        const times = changes.map((change) => {
          system.ms += change;
          return clock.stamp();
        });
        for (const [index, time] of times.entries()) {
          expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
          const next = times[index + 1];
          if (next !== undefined) expect(next > time).toBe(true);
        }
        expect([steps, clock.receivedAfter]).toEqual([[], undefined]);
      },
    ),
  );
  const { clock, system, steps } = rig();
  const many = Array.from({ length: 2500 }, () => clock.stamp());
  system.ms -= maxAheadMs - 2;
  many.push(...Array.from({ length: 2500 }, () => clock.stamp()));
  expect(many).toEqual([...new Set(many)].sort());
  expect(steps).toEqual([]);
});

describe('a clock that is set back by more than a minute', () => {
  test('is followed, and each message says what came before it until the clock is past that', () => {
    const { clock, system, steps } = rig();
    const before = clock.stamp();
    system.ms -= hourMs;
    expect(clock.stamp()).toBe('2026-06-01T11:00:00.000000Z');
    expect(steps).toEqual([{ brokenUntil: before, backMs: hourMs }]);
    expect(clock.receivedAfter).toBe(before);
    system.ms += hourMs - 1;
    clock.stamp();
    expect(clock.receivedAfter).toBe(before);
    system.ms += 2;
    expect(clock.stamp() > before).toBe(true);
    expect(clock.receivedAfter).toBeUndefined();
    expect(steps).toHaveLength(1);
  });

  test('twice: what follows each can be told apart', () => {
    const { clock, system, steps } = rig();
    clock.stamp();
    system.ms -= hourMs;
    clock.stamp();
    const first = clock.receivedAfter ?? '';
    system.ms -= 10 * minuteMs;
    clock.stamp();
    expect((clock.receivedAfter ?? '') > first).toBe(true);
    expect(steps).toHaveLength(2);
  });

  test('as one that was a year ahead', () => {
    const { clock, system } = rig(startMs + 365 * 24 * hourMs);
    clock.stamp();
    system.ms = startMs;
    expect(clock.stamp()).toBe('2026-06-01T12:00:00.000000Z');
  });

  test.each([
    [maxAheadMs, 0],
    [maxAheadMs + 1, 1],
  ])('%i ms are %i steps', (backMs, count) => {
    const { clock, system, steps } = rig();
    clock.stamp();
    system.ms -= backMs;
    clock.stamp();
    expect(steps).toHaveLength(count);
  });
});

describe('over a restart or a takeover', () => {
  test('order holds where the clock is up to a minute behind, and after a kill too', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: -maxAheadMs, max: maxAheadMs }),
        fc.integer({ min: 0, max: reserveMs / 2 }),
        (isKilled, count, changeMs, afterKeepingMs) => {
          const first = rig();
          first.clock.stamp();
          const early = killed(first.clock);
          first.system.ms += afterKeepingMs;
          let last = '';
          for (let index = 0; index <= count; index++) last = first.clock.stamp();
          const kept = isKilled ? early : stopped(first.clock);
          const second = rig(first.system.ms + changeMs, kept);
          for (let index = 0; index < 3; index++) {
            const next = second.clock.stamp();
            expect(next > last).toBe(true);
            last = next;
          }
          expect(second.steps).toEqual([]);
        },
      ),
      // 2,000 messages in one millisecond run two ahead: with a clock just under a minute behind, more than a minute.
      { examples: [[false, 1999, -maxAheadMs + 1, 0]] },
    );
  });

  test('a successor whose clock is an hour behind follows it and says so', () => {
    const first = rig();
    const last = first.clock.stamp();
    const second = rig(startMs - hourMs, stopped(first.clock));
    expect(second.clock.stamp()).toBe('2026-06-01T11:00:00.000000Z');
    expect(second.clock.receivedAfter).toBe(last);
    expect(second.steps).toEqual([{ brokenUntil: last, backMs: hourMs }]);
  });

  test('that the order is broken is known to the next holder, until it is whole again', () => {
    const { clock, system } = rig();
    const before = clock.stamp();
    system.ms -= hourMs;
    clock.stamp();
    const kept = parseStamps(JSON.stringify(stopped(clock))) ?? expect.fail();
    const soon = rig(system.ms + minuteMs, kept);
    soon.clock.stamp();
    expect([soon.clock.receivedAfter, soon.steps]).toEqual([before, []]);
    const later = rig(startMs + minuteMs, kept);
    later.clock.stamp();
    expect(later.clock.receivedAfter).toBeUndefined();
  });

  test('a bridge that is killed again and again does not run ahead further and further', () => {
    let kept: KeptStamps | undefined;
    let ms = startMs;
    for (let life = 0; life < 50; life++) {
      ms += 2000;
      const { clock, steps } = rig(ms, kept);
      const ahead = Date.parse(clock.stamp()) - ms;
      expect(ahead).toBeLessThanOrEqual(reserveMs);
      expect(steps).toEqual([]);
      kept = killed(clock);
    }
  });

  test('keeping is due at first, and again when half of what is reserved is used', () => {
    const { clock, system } = rig();
    expect(clock.kept(false)).toBeUndefined();
    clock.stamp();
    expect(clock.isKeepingDue).toBe(true);
    clock.kept(false);
    expect(clock.isKeepingDue).toBe(false);
    system.ms += reserveMs / 2 + 1;
    // Nothing is kept for a session without messages.
    expect(clock.isKeepingDue).toBe(false);
    clock.stamp();
    expect(clock.isKeepingDue).toBe(true);
  });

  test.each(['', 'null', '{"last":"yesterday","reserved":"today"}'])(
    '%j holds no stamps',
    (text) => {
      expect(parseStamps(text)).toBeUndefined();
    },
  );
});
