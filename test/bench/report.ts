// The results as a table in Markdown, and the files that keep them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { outageMs } from './measure.ts';
import { plotOf } from './plot.ts';
import { loadedLatencyMs, type Measurement, type Plan } from './rounds.ts';
import type { Spread } from './statistics.ts';
import { aimsOf, type Drains, lightAim, type Row, summarize } from './summary.ts';

export interface Results {
  readonly environment: ReturnType<typeof readEnvironment>;
  readonly takenAt: string;
  readonly plan: Plan;
  readonly measurements: readonly Measurement[];
  /** What could not be measured, and why. */
  readonly missing: readonly { readonly subject: string; readonly reason: string }[];
}

export function markdownOf(results: Results): string {
  const { takenAt, plan, measurements, missing } = results;
  const rows = summarize(plan.subjects, measurements);
  const { processor, cores, node, broker, commit } = results.environment;
  const rounds = Math.max(...measurements.map(({ round }) => round));
  return `# Benchmark

256-byte JSON over 1,000 topics at QoS 1. Medians of ${rounds} interleaved run${rounds === 1 ? '' : 's'}, lowest and highest in
brackets. ${cores} cores (${processor}) for broker, handler, load and subject together; Node ${node}, ${broker}.
Causeway at ${commit}, ${takenAt}: batches of 500, 4 in flight, linger 5 ms; with one message
a request, 64 in flight. CPU and RSS are of the subject's process alone.
The time to stored is measured at half of the rate that Causeway has with a handler of ${loadedLatencyMs} ms, whose latency is in it, or at
half of the subject's own where that is less.
Rates are from the broker taking the connection to the last message at the handler. Causeway has at most these requests and
its window in flight.
Lost, each with a backlog of its own and a handler of 20 ms: the subject is killed by SIGKILL when a tenth is stored, and
started again; the handler answers 503 for ${outageMs / 1000} seconds.

${notesOf(plan)}| | PUBACK | msg/s, handler 0 ms | µs CPU | msg/s, handler 20 ms | µs CPU | ${plan.latencyTopics.map((topics) => `p50 / p99 ms, ${topics.toLocaleString('en')} topics |`).join(' ')} peak RSS MB | lost | lost on SIGKILL | lost in an outage |
| --- | --- | --- | --- | --- | --- | ${'--- | '.repeat(plan.latencyTopics.length)}--- | --- | --- | --- |
${rows.map((row) => rowText(row, plan.latencyTopics)).join('\n')}
${missing.map(({ subject, reason }) => `| ${subject} | not measured: ${reason} |\n`).join('')}${longText(rows)}
| Aim | measured | |
| --- | --- | --- |
${[...aimsOf(rows), ...lightAim(measurements)]
  .map(
    ({ aim, measured, reached }) => `| ${aim} | ${measured} | ${reached ? 'reached' : 'missed'} |`,
  )
  .join('\n')}
`;
}

/** One line for each peer of which something is to be known, in however many ways it is measured. */
function notesOf({ subjects }: Plan): string {
  const notes = new Set(subjects.flatMap(({ note }) => note ?? []));
  return notes.size === 0 ? '' : `${[...notes].map((note) => `- ${note}`).join('\n')}\n\n`;
}

function rowText(row: Row, latencyTopics: Plan['latencyTopics']): string {
  const latencies = latencyTopics.map((topics) => {
    const latency = row.latencies.find((one) => one.topics === topics);
    return latency === undefined
      ? '–'
      : `${latency.p50Ms.median.toFixed(1)} / ${spreadText(latency.p99Ms, 1)}, at ${spreadText(latency.messagesPerSecond).split(' ')[0]} msg/s`;
  });
  const cells = [
    row.subject,
    row.acknowledges,
    ...drainCells(row.drains),
    ...latencies,
    spreadText(row.drains.peakResidentMB),
    String(row.lost),
    ...(row.losses === undefined
      ? ['–', '–']
      : [lossText(row.losses, 'lostOnKill'), lossText(row.losses, 'lostInOutage')]),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Rate and CPU, at each latency of the handler. */
function drainCells({ byHandler }: Drains): string[] {
  return [0, loadedLatencyMs].flatMap((handlerLatencyMs) => {
    const figures = byHandler.find((one) => one.handlerLatencyMs === handlerLatencyMs);
    return figures === undefined
      ? ['–', '–']
      : [spreadText(figures.messagesPerSecond), spreadText(figures.cpuMicrosPerMessage, 1)];
  });
}

/** The large backlog; nothing where it was not measured. */
function longText(rows: readonly Row[]): string {
  const long = rows.flatMap(({ subject, longDrains }) =>
    longDrains === undefined ? [] : [{ subject, longDrains }],
  );
  const [first] = long;
  if (first === undefined) return '';
  const lines = long.map(
    ({ subject, longDrains }) =>
      `| ${[subject, ...drainCells(longDrains), spreadText(longDrains.peakResidentMB)].join(' | ')} |\n`,
  );
  return `
A backlog of ${first.longDrains.messages.toLocaleString('en')} messages: in the first second of a drain, Node compiles what then runs for weeks.

| | msg/s, handler 0 ms | µs CPU | msg/s, handler ${loadedLatencyMs} ms | µs CPU | peak RSS MB |
| --- | --- | --- | --- | --- | --- |
${lines.join('')}`;
}

function lossText(losses: NonNullable<Row['losses']>, name: 'lostOnKill' | 'lostInOutage'): string {
  return losses[name] === 0
    ? '0'
    : `${losses[name].toLocaleString('en')} of ${losses.messages.toLocaleString('en')}`;
}

function spreadText({ median, min, max }: Spread, digits = 0): string {
  if (Number.isNaN(median)) return '–';
  const text = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(median)} (${text(min)}–${text(max)})`;
}

/** What the results are of. To be read before the first of them are written, as they are files of the commit, too. */
export function readEnvironment() {
  const mosquitto = spawnSync('mosquitto', ['-h'], { encoding: 'utf8' }).stdout ?? '';
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    broker: /mosquitto version [\d.]+/.exec(mosquitto)?.[0] ?? 'mosquitto',
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
  };
}

/** Writes table, plot and raw figures; answers with the files. */
export function writeResults(results: Results): string[] {
  const folder = fileURLToPath(new URL('results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const { plan, ...rest } = results;
  const rows = summarize(plan.subjects, results.measurements);
  const files = {
    'results.md': `${markdownOf(results)}\n![Messages per second](results.svg)\n`,
    'results.svg': plotOf(rows),
    'results.json': `${JSON.stringify(rest, null, 2)}\n`,
  };
  return Object.entries(files).map(([name, text]) => {
    writeFileSync(`${folder}${name}`, text);
    return `test/bench/results/${name}`;
  });
}
