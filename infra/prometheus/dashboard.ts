// The dashboard for Grafana: what matters first, and below it every metric there is, by what it is about.
import type { MetricEntry } from '../../bridge/base/metric-list.ts';
import { allMetrics, checkedExpression } from './metric-list.ts';

interface Graph {
  readonly title: string;
  readonly description?: string;
  readonly unit: 's' | 'short' | 'percentunit' | 'd';
  /** Each with what stands in the legend. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
}

const ofRoutes = '{route=~"$route"}';
const byRoute = '{{route}}';

/** What one looks at first. */
const glance: readonly Graph[] = [
  {
    title: 'Delivered a second',
    unit: 'short',
    queries: [
      [
        `sum by (route) (rate(causeway_delivered_messages_total${ofRoutes}[$__rate_interval]))`,
        byRoute,
      ],
    ],
  },
  {
    title: 'From PUBLISH to PUBACK, p99',
    unit: 's',
    queries: [[quantile(0.99, 'causeway_ack_seconds', ['route']), byRoute]],
  },
  {
    title: 'Handler, p99',
    unit: 's',
    queries: [[quantile(0.99, 'causeway_handler_seconds', ['route']), byRoute]],
  },
  {
    title: 'On hold for',
    unit: 's',
    queries: [[`max by (route) (causeway_holding_seconds${ofRoutes})`, byRoute]],
  },
  {
    title: 'Not settled',
    unit: 'short',
    queries: [[`sum by (route) (causeway_in_flight_messages${ofRoutes})`, byRoute]],
  },
  {
    title: 'Dead letters in an hour',
    unit: 'short',
    queries: [
      [`sum by (route) (increase(causeway_quarantined_messages_total${ofRoutes}[1h]))`, byRoute],
    ],
  },
];

/** Rows of the rest. */
const groups = ['Routes', 'Commands', 'Bridge', 'Embedded broker'] as const;

function groupOf({ name, labels }: MetricEntry): (typeof groups)[number] {
  if (name.startsWith('causeway_broker_')) return 'Embedded broker';
  if (labels.includes('route')) return 'Routes';
  return /_(commands|replies)_/.test(name) ? 'Commands' : 'Bridge';
}

function quantile(share: number, name: string, labels: readonly string[]): string {
  const by = ['le', ...labels].join(', ');
  return `histogram_quantile(${share}, sum by (${by}) (rate(${name}_bucket${labels.includes('route') ? ofRoutes : ''}[$__rate_interval])))`;
}

/** A metric as a graph, by its kind. */
function graphOf({ name, help, kind, labels }: MetricEntry): Graph {
  const by = labels.length === 0 ? '' : ` by (${labels.join(', ')})`;
  const legend = labels.length === 0 ? name : labels.map((label) => `{{${label}}}`).join(' ');
  const selected = `${name}${labels.includes('route') ? ofRoutes : ''}`;
  const described = { title: name, description: help };
  if (kind === 'histogram')
    return {
      ...described,
      unit: name.endsWith('_seconds') ? 's' : 'short',
      queries: [0.5, 0.99].map((share) => [
        quantile(share, name, labels),
        `${legend} p${share * 100}`,
      ]),
    };
  if (kind === 'counter')
    return {
      ...described,
      title: `${name} a second`,
      unit: 'short',
      queries: [[`sum${by} (rate(${selected}[$__rate_interval]))`, legend]],
    };
  if (name.endsWith('_timestamp_seconds'))
    return {
      ...described,
      title: `${name}, days from now`,
      unit: 'd',
      queries: [[`(min${by} (${selected}) - time()) / 86400`, legend]],
    };
  return {
    ...described,
    unit: name.endsWith('_seconds') ? 's' : 'short',
    queries: [[`max${by} (${selected})`, legend]],
  };
}

const columns = 24;
const [width, height] = [8, 8];

/** Places graphs from row `y` of the grid on. */
function placed(graphs: readonly Graph[], y: number, metrics: readonly MetricEntry[]) {
  const perRow = columns / width;
  return graphs.map(({ title, description, unit, queries }, index) => ({
    type: 'timeseries',
    title,
    ...(description !== undefined && { description }),
    datasource: { type: 'prometheus', uid: '$datasource' },
    gridPos: {
      x: (index % perRow) * width,
      y: y + Math.floor(index / perRow) * height,
      w: width,
      h: height,
    },
    fieldConfig: { defaults: { unit, min: unit === 'd' ? null : 0 }, overrides: [] },
    targets: queries.map(([expression, legendFormat], query) => ({
      refId: String.fromCharCode(65 + query),
      expr: checkedExpression(expression, metrics),
      legendFormat,
    })),
  }));
}

/** The dashboard as a file that Grafana imports. Throws where a graph names a metric that is not there. */
export function dashboardFile(): string {
  const metrics = allMetrics();
  const first = placed(glance, 0, metrics);
  const y = Math.ceil(glance.length / (columns / width)) * height;
  const rows = groups.map((title, index) => ({
    type: 'row',
    title,
    collapsed: true,
    gridPos: { x: 0, y: y + index, w: columns, h: 1 },
    panels: placed(
      metrics.filter((metric) => groupOf(metric) === title).map(graphOf),
      y + index + 1,
      metrics,
    ),
  }));
  const panels = [...first, ...rows];
  let id = 0;
  const numbered = <T extends object>(panel: T) => ({ id: ++id, ...panel });
  return `${JSON.stringify(
    {
      title: 'Causeway',
      uid: 'causeway',
      description: "Made from the bridge's metrics by npm run document",
      tags: ['causeway', 'mqtt'],
      schemaVersion: 39,
      editable: true,
      refresh: '30s',
      time: { from: 'now-3h', to: 'now' },
      templating: {
        list: [
          { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
          {
            name: 'route',
            label: 'Route',
            type: 'query',
            datasource: { type: 'prometheus', uid: '$datasource' },
            query: 'label_values(causeway_active_sessions, route)',
            refresh: 2,
            multi: true,
            includeAll: true,
            allValue: '.*',
            current: { text: 'All', value: '$__all' },
          },
        ],
      },
      panels: panels.map((panel) =>
        numbered('panels' in panel ? { ...panel, panels: panel.panels.map(numbered) } : panel),
      ),
    },
    null,
    2,
  )}\n`;
}
