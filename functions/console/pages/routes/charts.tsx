// The curves of a route; the crosshair is at the same time in all of them.
import { useMemo, useState } from 'preact/hooks';
import type { Got, Route } from '../../client/operations.ts';
import { Card, Segments } from '../../components/basics.tsx';
import { Chart, type Line } from '../../components/chart.tsx';
import { Gate } from '../../components/gate.tsx';
import { drawnSeries, type Span, spans, useSeries } from './series.ts';

const dashed = [6, 4];
const dotted = [2, 3];

export function RouteCharts({ route: { name } }: { readonly route: Route }) {
  const [span, setSpan] = useState<Span>('1h');
  const shown = useSeries(name, span);
  return (
    <>
      <div class="head">
        <h2>Over time</h2>
        <span class="dim small not-narrow">Drag in one to zoom; a double click shows all</span>
        <div class="end">
          <Segments
            label="Span"
            look="small"
            value={span}
            choices={spans.map((value) => ({ value, text: value.replace('h', ' h') }))}
            onChoose={setSpan}
          />
        </div>
      </div>
      <Gate shown={shown}>{(series) => <Charts series={series} />}</Gate>
    </>
  );
}

function Charts({ series }: { readonly series: Got<'/v1/routes/{name}/series'> }) {
  const { times, charts } = useMemo(() => chartsOf(series), [series]);
  return (
    <div class="charts">
      {charts.map(({ title, lines, unit }) => (
        <Card key={title} title={title}>
          <Chart
            label={title}
            group={series.route}
            times={times}
            lines={lines}
            {...(unit !== undefined && { unit })}
          />
        </Card>
      ))}
    </div>
  );
}

interface Drawn {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly unit?: string;
}

function chartsOf(series: Got<'/v1/routes/{name}/series'>) {
  const { times, values, stepSeconds } = drawnSeries(series, Date.now());
  const tellsBacklog = series.points.some(({ backlogMessages }) => backlogMessages !== undefined);
  const charts: Drawn[] = [
    {
      title: 'Messages a second',
      lines: [
        { name: 'received', values: values(({ received }) => received / stepSeconds) },
        {
          name: 'delivered',
          color: 3,
          dash: dashed,
          values: values(({ delivered }) => delivered / stepSeconds),
        },
      ],
    },
    {
      title: 'Waiting',
      lines: [
        {
          name: tellsBacklog ? 'at the broker' : 'in the bridge',
          color: 3,
          isFilled: true,
          values: values(({ backlogMessages, unsettledMessages }) =>
            tellsBacklog ? backlogMessages : unsettledMessages,
          ),
        },
      ],
    },
    {
      title: 'Latency of the handler',
      unit: ' ms',
      lines: [
        { name: 'p50', values: values(({ p50Ms }) => p50Ms) },
        { name: 'p95', color: 2, dash: dashed, values: values(({ p95Ms }) => p95Ms) },
        { name: 'p99', color: 4, dash: dotted, values: values(({ p99Ms }) => p99Ms) },
      ],
    },
    {
      title: 'Messages in a request',
      lines: [
        { name: 'on average', color: 5, values: values(({ batchMessages }) => batchMessages) },
      ],
    },
    {
      title: 'Requests at a time',
      lines: [
        { name: 'in flight', isFilled: true, values: values((point) => point.requestsInFlight) },
        {
          name: 'limit',
          color: 2,
          dash: dashed,
          values: values((point) => point.concurrencyLimit),
        },
      ],
    },
    {
      title: 'Trouble',
      lines: [
        { name: 'sent again', color: 3, values: values(({ retried }) => retried) },
        {
          name: 'dead letters',
          color: 4,
          dash: dashed,
          values: values(({ quarantined }) => quarantined),
        },
      ],
    },
  ];
  return { times, charts };
}
