// The plots of infra/docs/scale.md: how many deployments a load needs, and what it costs a month. Pure.
import type { StorageForm } from '../../functions/contract/storage-form.ts';
import { type Plan, planOf } from './plan.ts';
import { type Line, plotOf } from './plot.ts';

const rates = [1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
const kinds: readonly { form: StorageForm; topics: number; name: string }[] = [
  { form: 'items', topics: 10_000, name: 'items, 10,000 topics' },
  { form: 'items', topics: 10_000_000, name: 'items, 10,000,000' },
  { form: 'packed', topics: 10_000, name: 'packed, 10,000' },
  { form: 'packed', topics: 10_000_000, name: 'packed, 10,000,000' },
];

function linesOf(value: (plan: Plan) => number): Line[] {
  return kinds.map(({ form, topics, name }) => ({
    name,
    dashed: topics > 10_000,
    points: rates.map((messagesPerSecond) => ({
      x: messagesPerSecond,
      y: value(planOf({ messagesPerSecond, topics, zipf: 0, form })),
    })),
  }));
}

export const deploymentsPlot = () =>
  plotOf(
    { title: 'Deployments that a load needs', x: 'messages a second', y: 'deployments' },
    linesOf(({ deployments }) => deployments),
  );

export const costPlot = () =>
  plotOf(
    { title: 'What a load costs, kept 30 days', x: 'messages a second', y: 'dollars a month' },
    linesOf(({ dollarsMonth }) => dollarsMonth),
  );
