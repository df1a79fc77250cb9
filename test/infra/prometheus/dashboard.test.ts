// The dashboard as Grafana takes it: every metric has a graph, and no two graphs the same place or number.
import { expect, test } from 'vitest';
import { alertKinds } from '../../../bridge/config/alerts.ts';
import { alertRules, cureText } from '../../../infra/prometheus/alert-rules.ts';
import { dashboardFile } from '../../../infra/prometheus/dashboard.ts';
import { allMetrics } from '../../../infra/prometheus/metric-list.ts';

interface Panel {
  readonly id: number;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
  readonly panels?: readonly Panel[];
}

const { panels }: { panels: Panel[] } = JSON.parse(dashboardFile());
const all = panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);

test('every metric has a graph', () => {
  const expressions = all.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  for (const { name } of allMetrics())
    expect(expressions).toMatch(new RegExp(`${name}(_bucket)?\\b`));
});

test('no two panels have the same number or the same place', () => {
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  for (const group of [panels, ...all.map(({ panels: inner = [] }) => inner)]) {
    const cells = group.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(group.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  }
});

test('what the bridge alerts of by itself has a rule, but for clients, which have no metric', () => {
  const kinds = new Set(alertRules.map(({ kind }) => kind));
  expect(alertKinds.filter((kind) => !kinds.has(kind))).toEqual(['client-offline']);
});

test('each rule says what to do, and has a name of its own', () => {
  for (const rule of alertRules) expect(cureText(rule)).toMatch(/\w.*\.$/);
  expect(new Set(alertRules.map(({ name }) => name)).size).toBe(alertRules.length);
});
