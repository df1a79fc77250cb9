// The numbers of a topic's messages as curves over time, one chart for each field.
import { useMemo } from 'preact/hooks';
import { Button, Card, Chip, Empty, Segments, Time } from '../../components/basics.tsx';
import { Chart } from '../../components/chart.tsx';
import { counted, sumOf } from '../../components/format.ts';
import { FailureNote, Skeleton } from '../../components/gate.tsx';
import { numbersIn } from '../../components/payload-text.ts';
import { change } from '../../state/address.ts';
import {
  canBeAsked,
  maxFields,
  type Point,
  type Span,
  spanNames,
  spanWith,
} from './field-series.ts';
import { useHistory } from './history.ts';
import { useFieldSeries } from './use-field-series.ts';

/** Messages that are looked through for fields with numbers: the newest. */
const lookedThrough = 20;
/** Charts that are drawn before somebody chooses. */
const firstFields = 4;

const nameOf = (path: string) => (path === '' ? 'value' : path);

export function Curves({
  topic,
  fields,
  span: wanted,
}: {
  readonly topic: string;
  readonly fields: string | undefined;
  readonly span: string | undefined;
}) {
  const { messages, isLoading, failure } = useHistory(topic, {}, lookedThrough);
  const [newest] = messages;
  const paths = useMemo(() => {
    if (typeof newest?.payload === 'number') return [''];
    const found = messages.flatMap(({ payload }) => [...numbersIn(payload).keys()]);
    return [...new Set(found)].filter((path) => path !== '' && canBeAsked(path));
  }, [messages]);
  if (failure !== undefined) return <FailureNote failure={failure} />;
  if (isLoading) return <Skeleton />;
  if (newest === undefined || paths.length === 0)
    return (
      <div class="card">
        <Empty icon="curve" title="No numbers here">
          <p>None of the newest messages of {topic} has a number in its payload.</p>
        </Empty>
      </div>
    );
  const asked = fields?.split('\n').filter((path) => paths.includes(path));
  const span =
    spanNames.find((one) => one === wanted) ?? spanWith(Date.parse(newest.time), Date.now());
  return (
    <Drawn
      topic={topic}
      paths={paths}
      chosen={(asked ?? paths.slice(0, firstFields)).slice(0, maxFields)}
      span={span}
    />
  );
}

function Drawn({
  topic,
  paths,
  chosen,
  span,
}: {
  readonly topic: string;
  readonly paths: readonly string[];
  readonly chosen: readonly string[];
  readonly span: Span;
}) {
  const { points, range, isLoading, failure, goOn } = useFieldSeries(topic, chosen, span);
  const toggle = (path: string) => {
    const others = chosen.filter((one) => one !== path);
    change({ fields: (chosen.includes(path) ? others : [...chosen, path]).join('\n') });
  };
  const reached = [...points.values()]
    .map((of) => of.at(-1)?.at ?? '')
    .sort()
    .at(-1);
  return (
    <div class="stack">
      <div class="row wrap">
        <div class="chips">
          {paths.map((path) => (
            <Chip key={path} isOn={chosen.includes(path)} onToggle={() => toggle(path)}>
              {nameOf(path)}
            </Chip>
          ))}
        </div>
        <span class="dim small not-narrow">
          {isLoading ? 'Reading … ' : 'Drag in a chart to zoom; a double click shows all'}
        </span>
        <span class="end">
          <Segments
            label="Span"
            look="small"
            value={span}
            choices={spanNames.map((value) => ({ value, text: value.replace(/(?=[hd])/, ' ') }))}
            onChoose={(one) => change({ span: one })}
          />
        </span>
      </div>
      {failure !== undefined && <FailureNote failure={failure} />}
      {goOn !== undefined && (
        <div class="row wrap small">
          <span>
            There are more messages than are read at once
            {reached !== undefined && reached !== '' && (
              <>
                : drawn up to <Time at={reached} />
              </>
            )}
            .
          </span>
          <Button look="small" onClick={goOn}>
            Read on
          </Button>
        </div>
      )}
      <div class="curves">
        {chosen.map((path) => (
          <Curve
            key={path}
            topic={topic}
            path={path}
            points={points.get(path) ?? []}
            range={range}
            isLoading={isLoading}
          />
        ))}
      </div>
    </div>
  );
}

const dotted = [2, 3];

function Curve({
  topic,
  path,
  points,
  range,
  isLoading,
}: {
  readonly topic: string;
  readonly path: string;
  readonly points: readonly Point[];
  readonly range: readonly [from: number, to: number];
  readonly isLoading: boolean;
}) {
  const { times, lines } = useMemo(() => {
    const isReduced = points.some(({ count }) => count > 1);
    const line = (name: string, of: (point: Point) => number) => ({ name, values: points.map(of) });
    return {
      times: points.map(({ at }) => Date.parse(at)),
      lines: isReduced
        ? [
            line('mean', ({ mean }) => mean),
            { ...line('min', ({ min }) => min), color: 3 as const, dash: dotted },
            { ...line('max', ({ max }) => max), color: 4 as const, dash: dotted },
          ]
        : [line(nameOf(path), ({ mean }) => mean)],
    };
  }, [points]);
  return (
    <Card
      title={nameOf(path)}
      aside={<span class="dim small">{counted(sumOf(points), 'number')}</span>}
    >
      {points.length === 0 ? (
        <p class="body dim">{isLoading ? 'Reading …' : 'There is none in this time.'}</p>
      ) : (
        <Chart
          label={`${path} of ${topic}`}
          group={topic}
          heightPx={240}
          isFromZero={false}
          range={range}
          times={times}
          lines={lines}
        />
      )}
    </Card>
  );
}
