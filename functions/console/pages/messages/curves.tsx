// The numbers of a topic's messages as curves over time, one chart for each field.
import { useMemo } from 'preact/hooks';
import { Card, Chip, Empty } from '../../components/basics.tsx';
import { Chart } from '../../components/chart.tsx';
import { counted } from '../../components/format.ts';
import { FailureNote, Skeleton } from '../../components/gate.tsx';
import { numbersIn } from '../../components/payload-text.ts';
import { change } from '../../state/address.ts';
import { useHistory } from './history.ts';

/** Messages that are drawn: the newest, in one call. */
const maxMessages = 1000;
/** Charts that are drawn before somebody chooses. */
const firstFields = 4;

export function Curves({
  topic,
  fields,
}: {
  readonly topic: string;
  readonly fields: string | undefined;
}) {
  const { messages, isLoading, failure } = useHistory(topic, {}, maxMessages);
  const { times, series } = useMemo(() => {
    const oldestFirst = messages.toReversed();
    const found = oldestFirst.map(({ payload }) => numbersIn(payload));
    const paths = [...new Set(found.flatMap((numbers) => [...numbers.keys()]))];
    return {
      times: oldestFirst.map(({ time }) => Date.parse(time)),
      series: new Map(
        paths.map((path) => [path, found.map((numbers) => numbers.get(path) ?? null)] as const),
      ),
    };
  }, [messages]);
  const chosen = fields?.split('\n') ?? [...series.keys()].slice(0, firstFields);
  if (failure !== undefined) return <FailureNote failure={failure} />;
  if (isLoading) return <Skeleton />;
  if (series.size === 0)
    return (
      <div class="card">
        <Empty icon="curve" title="No numbers here">
          <p>None of the newest messages of {topic} has a number in its payload.</p>
        </Empty>
      </div>
    );
  const toggle = (path: string) => {
    const others = chosen.filter((one) => one !== path);
    change({ fields: (chosen.includes(path) ? others : [...chosen, path]).join('\n') });
  };
  return (
    <div class="stack">
      <div class="row wrap">
        <div class="chips">
          {[...series.keys()].map((path) => (
            <Chip key={path} isOn={chosen.includes(path)} onToggle={() => toggle(path)}>
              {path === '' ? 'value' : path}
            </Chip>
          ))}
        </div>
        <span class="dim small">
          {counted(messages.length, 'message')}, the newest · drag in a chart to zoom, a double
          click shows all
        </span>
      </div>
      <div class="curves">
        {chosen
          .filter((path) => series.has(path))
          .map((path) => (
            <Card key={path} title={path === '' ? 'value' : path}>
              <Chart
                label={`${path} of ${topic}`}
                group={topic}
                heightPx={240}
                isFromZero={false}
                times={times}
                lines={[{ name: path === '' ? 'value' : path, values: series.get(path) ?? [] }]}
              />
            </Card>
          ))}
      </div>
    </div>
  );
}
