// The curves of a route: steps of time with what happened in them, for as long as they are kept.
import { expect, test } from 'vitest';
import { Latencies } from '../../../bridge/metrics/latencies.ts';
import { RouteSeries } from '../../../bridge/metrics/route-series.ts';
import { fc } from '../../support/property.ts';

const startMs = Date.parse('2026-01-31T12:00:00Z');
const secondMs = 1000;
const minuteMs = 60_000;

/** A route whose messages a test counts. */
function route() {
  const counters = { received: 0, delivered: 0, retried: 0, quarantined: 0 };
  const series = new RouteSeries(startMs);
  const gauges = { unsettled: 0, backlog: undefined as number | undefined, inFlight: 0, limit: 4 };
  return {
    series,
    counters,
    gauges,
    look: (afterMs: number) => series.look({ counters, ...gauges }, startMs + afterMs),
    request: (messages: number, latencyMs: number, afterMs: number) =>
      series.request(messages, latencyMs, startMs + afterMs),
    points: (fromMs: number, toMs: number, stepSeconds: number) =>
      series.points(startMs + fromMs, startMs + toMs, stepSeconds),
  };
}

test('a step has what came in it, the gauges at its end, and the requests that ended in it', () => {
  const { counters, gauges, look, request, points } = route();
  look(0);
  counters.received += 10;
  request(6, 10, 500);
  request(4, 100, 9990);
  counters.delivered += 10;
  look(9995);
  // It ended in the first step, and nobody has looked since.
  request(2, 1000, 9999);
  counters.received += 5;
  gauges.unsettled = 5;
  gauges.backlog = 7;
  look(10_001);
  expect(points(0, 20_000, 10)).toMatchObject([
    { at: '2026-01-31T12:00:00.000Z', received: 10, delivered: 10, batchMessages: 4 },
    { at: '2026-01-31T12:00:10.000Z', received: 5, delivered: 0, backlogMessages: 7 },
  ]);
  const [first, second] = points(0, 20_000, 10);
  expect(first?.p50Ms).toBeCloseTo(100, -2);
  expect(first?.p99Ms).toBeGreaterThanOrEqual(1000);
  expect(first?.p99Ms).toBeLessThanOrEqual(1143);
  expect(first).not.toHaveProperty('backlogMessages');
  expect(second).not.toHaveProperty('p50Ms');
  expect(points(0, minuteMs, 60)).toMatchObject([{ received: 15, unsettledMessages: 5 }]);
});

test('longer steps add up the counts, and tell the slowest percentiles', () => {
  const { counters, look, request, points } = route();
  for (let second = 0; second < 600; second++) {
    counters.received += 1;
    if (second === 300) request(1, 5000, second * secondMs);
    look(second * secondMs);
  }
  const [five, ten] = points(0, 600 * secondMs, 300);
  expect([five?.received, ten?.received]).toEqual([300, 300]);
  expect(ten?.p50Ms).toBeGreaterThanOrEqual(5000);
  expect(five).not.toHaveProperty('p50Ms');
});

test('an hour of short steps, a day of long ones, and no gap is filled', () => {
  const { look, points } = route();
  const dayMs = 1440 * minuteMs;
  for (let afterMs = 0; afterMs <= 2 * dayMs; afterMs += minuteMs) look(afterMs);
  const end = 2 * dayMs + 1;
  expect(points(0, end, 60)).toHaveLength(1440);
  // Looked at once a minute: of six short steps one is there.
  expect(points(0, end, 10)).toHaveLength(60);
  look(2 * dayMs + 10 * minuteMs);
  expect(points(2 * dayMs, 2 * dayMs + 11 * minuteMs, 60)).toHaveLength(2);
});

test('a clock that was set back makes no count negative, nor one too large', () => {
  const { counters, look, points } = route();
  look(minuteMs);
  counters.received = 3;
  look(minuteMs + 1);
  look(0);
  counters.received = 5;
  look(1);
  look(minuteMs + 2);
  const counts = points(0, 2 * minuteMs, 60).map(({ received }) => received);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(0);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(5);
});

test('a percentile is within a seventh of the true one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.95, 0.99),
      (latencies, part) => {
        const own = new Latencies();
        for (const latency of latencies) own.add(latency);
        const sorted = latencies.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
        const told = own.percentile(part);
        expect(told).toBeGreaterThanOrEqual(exact * 0.999_999);
        expect(told).toBeLessThanOrEqual((exact * 8) / 7 + 0.000_001);
      },
    ),
  );
});
