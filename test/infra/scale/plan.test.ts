// What a load needs: each plan keeps to the limits, and more load never needs less.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { headroom, limits } from '../../../infra/scale/limits.ts';
import { type Load, planOf } from '../../../infra/scale/plan.ts';
import { detailsOf } from '../../../infra/scale/report.ts';
import { fc } from '../../support/property.ts';

const load = fc.record({
  messagesPerSecond: fc.integer({ min: 1, max: 1_000_000 }),
  topics: fc.integer({ min: 1, max: 10_000_000 }),
  zipf: fc.constantFrom(0, 0.8, 1),
  form: fc.constantFrom('items' as const, 'packed' as const),
});

test('no part of a plan is over its limit, and more messages never need fewer deployments', () => {
  fc.assert(
    fc.property(load, (one) => {
      const plan = planOf(one);
      const { settings, deployments } = plan;
      expect(settings.connections).toBeLessThanOrEqual(limits.connections.value);
      expect(settings.window).toBeLessThanOrEqual(limits.window.value);
      expect(settings.concurrency).toBeLessThanOrEqual(limits.requests.value);
      expect(settings.concurrency).toBeGreaterThanOrEqual(settings.connections);
      expect(plan.writeUnitsPerSecond / deployments).toBeLessThanOrEqual(
        headroom * limits.tableWriteUnits.value,
      );
      expect(plan.drainHours).toBeGreaterThanOrEqual(1);
      expect(plan.dollarsMonth).toBeGreaterThan(0);
      const more = planOf({ ...one, messagesPerSecond: 2 * one.messagesPerSecond });
      expect(more.deployments).toBeGreaterThanOrEqual(deployments);
      expect(more.dollarsMonth).toBeGreaterThan(plan.dollarsMonth);
    }),
  );
});

test('what is full first', () => {
  const first = (more: Partial<Load>) =>
    planOf({ messagesPerSecond: 100_000, topics: 10_000, zipf: 0, form: 'items', ...more }).first;
  expect(first({})).toBe('table');
  expect(first({ topics: 1_000_000 })).toBe('registry');
  expect(first({ form: 'packed' })).toBe('cpu');
  expect(first({ topics: 1, messagesPerSecond: 3000 })).toBe('hotTopic');
});

test('a topic that is too hot is said, as no number of deployments helps', () => {
  const hot = { messagesPerSecond: 1_000_000, topics: 10_000, zipf: 1, form: 'items' } as const;
  expect(planOf(hot).tooHot).toBe(true);
  expect(detailsOf(hot)).toContain('let its device use several topics');
  expect(planOf({ ...hot, zipf: 0 }).tooHot).toBe(false);
});

test('npm run simulate: one load in detail, and what it does not take', () => {
  const simulate = (...args: string[]) => {
    const all = ['--import', 'tsx', 'infra/cli/simulate.ts', ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const args = ['--rate', '5000', '--topics', '200000', '--zipf', '1', '--storage', 'packed'];
  const found = simulate(...args);
  expect(found).toMatchObject({ status: 0, stderr: '' });
  expect(found.stdout).toContain('5,000 msg/s');
  const refused = simulate('--rate', '0');
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain('--rate must be a number from 1 to');
});
