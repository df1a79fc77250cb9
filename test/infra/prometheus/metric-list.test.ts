// The list that dashboard and alert rules are made from has every metric that is scraped, and they name no other.
import { expect, test } from 'vitest';
import { createMetrics } from '../../../bridge/metrics/metrics.ts';
import {
  allMetrics,
  checkedExpression,
  unknownNames,
} from '../../../infra/prometheus/metric-list.ts';
import { idleGauges } from '../../support/gauges.ts';

test('what a bridge is scraped for is in the list, with its kind and labels', async () => {
  const metrics = createMetrics();
  metrics.commands(() => ({ waiting: 0, inFlight: 0 }));
  metrics.certificates(() => ({ broker: 1 }));
  const { text } = await metrics.scrape();
  const scraped = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => ({
    name,
    kind,
  }));
  expect(scraped.length).toBeGreaterThan(20);
  for (const metric of scraped)
    expect(allMetrics()).toContainEqual(expect.objectContaining(metric));
  expect(allMetrics()).toContainEqual(
    expect.objectContaining({
      name: 'causeway_commands_total',
      kind: 'counter',
      labels: ['result'],
    }),
  );
});

test('an expression that names what is not there is refused', () => {
  const metrics = allMetrics();
  expect(unknownNames('causeway_holding + causeway_ack_seconds_bucket', metrics)).toEqual([]);
  expect(unknownNames('causeway_held + causeway_ack_seconds', metrics)).toEqual([
    'causeway_held',
    'causeway_ack_seconds',
  ]);
  expect(() => checkedExpression('rate(causeway_held[1m])', metrics)).toThrow('causeway_held');
});

test('a session that is lost is an increase: the count is there before the first', async () => {
  const metrics = createMetrics();
  metrics.route('store', () => idleGauges);
  expect((await metrics.scrape()).text).toContain('causeway_lost_sessions_total{route="store"} 0');
});
