import { describe, expect, test } from 'vitest';
import {
  isCulprit,
  isIsolated,
  probeOf,
  type Suspicion,
  suspicionAfter,
  togetherAtFront,
} from '../../../bridge/forwarding/culprit.ts';
import { fc } from '../../support/property.ts';

/** What happens on a route, as one message sees it. */
type Event =
  | { readonly kind: 'others succeed' }
  | { readonly kind: 'fails'; readonly together: number; readonly afterMs: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant({ kind: 'others succeed' } as const),
  fc.record({
    kind: fc.constant('fails' as const),
    together: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 8 })),
    afterMs: fc.integer({ min: 0, max: 20_000 }),
  }),
);

/** The law by its words, from the whole history. */
function isCulpritByLaw(history: readonly Event[], tries: number, afterMs: number): boolean {
  const failures = history.filter((one) => one.kind === 'fails');
  const alone = failures.filter(({ together }) => together === 1).length;
  // The longest row of failures with a success of others between each two: one of each run of failures.
  let inRow = 0;
  let isNewRun = true;
  for (const { kind } of history) {
    if (kind === 'fails' && isNewRun) inRow++;
    isNewRun = kind === 'others succeed' || (isNewRun && kind !== 'fails');
  }
  const failingMs = failures.slice(1).reduce((sum, one) => sum + one.afterMs, 0);
  return inRow >= tries && alone >= tries && failingMs >= afterMs;
}

function replay(history: readonly Event[]): { suspicion: Suspicion | undefined; nowMs: number } {
  let suspicion: Suspicion | undefined;
  let served = 0;
  let nowMs = 0;
  for (const one of history) {
    if (one.kind === 'others succeed') {
      served++;
      continue;
    }
    nowMs += one.afterMs;
    suspicion = suspicionAfter(suspicion, { together: one.together, served, nowMs });
  }
  return { suspicion, nowMs };
}

describe('the law', () => {
  test('is kept for every history', () => {
    const limits = fc.record({
      tries: fc.integer({ min: 1, max: 6 }),
      afterMs: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), limits, (history, { tries, afterMs }) => {
        const { suspicion, nowMs } = replay(history);
        const found = suspicion !== undefined && isCulprit(suspicion, { tries, afterMs }, nowMs);
        expect(found).toBe(isCulpritByLaw(history, tries, afterMs));
      }),
      { numRuns: 2000 },
    );
  });

  test('without a success of others nothing is ever a culprit, however long and often it fails', () => {
    const outage = fc.array(
      event.filter(({ kind }) => kind === 'fails'),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(outage, (history) => {
        const { suspicion } = replay(history);
        const limits = { tries: 2, afterMs: 0 };
        expect(suspicion?.charges).toBe(1);
        expect(suspicion && isIsolated(suspicion, limits)).toBe(false);
        expect(suspicion && isCulprit(suspicion, limits, Number.MAX_SAFE_INTEGER)).toBe(false);
      }),
    );
  });
});

const item = (topic: string, attempts = 0, maxBatchSize = Number.POSITIVE_INFINITY) => ({
  topic,
  attempts,
  maxBatchSize,
});

describe('a request', () => {
  const companies = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 30 });

  test('has no more messages than each of them may be sent with, and one at least', () => {
    fc.assert(
      fc.property(companies, (most) => {
        const batch = most.map((one) => item('a', 0, one));
        const count = togetherAtFront(batch);
        expect(count).toBeGreaterThan(0);
        for (const { maxBatchSize } of batch.slice(0, count))
          expect(count).toBeLessThanOrEqual(maxBatchSize);
        // One more would be too many.
        const more = batch.slice(0, count + 1);
        if (more.length > count)
          expect(Math.min(...more.map(({ maxBatchSize }) => maxBatchSize))).toBeLessThan(count + 1);
      }),
    );
  });

  test('a batch that nothing speaks against goes whole', () => {
    expect(togetherAtFront(Array.from({ length: 500 }, () => item('a')))).toBe(500);
    expect(togetherAtFront([])).toBe(0);
  });
});

describe('a probe', () => {
  test('is the first of its topic, and asked for least', () => {
    const batch = [item('a', 3), item('a', 0), item('b', 1), item('c', 1)];
    expect(probeOf(batch)).toBe(batch[2]);
    expect(probeOf([])).toBeUndefined();
  });
});
