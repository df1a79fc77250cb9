// The benchmark's table and plot, of figures made up here: nothing is measured.
import { describe, expect, it } from 'vitest';
import { plotOf } from './plot.ts';
import { markdownOf } from './report.ts';
import type { Measurement } from './rounds.ts';
import type { Subject } from './subject.ts';
import { aimsOf, summarize } from './summary.ts';

function subject(name: string, note?: string): Subject {
  return {
    name,
    ...(note !== undefined && { note }),
    clientId: 'client',
    acknowledges: 'when stored',
    drainMessages: 1000,
    handlerLatenciesMs: [0, 20],
    start: () => {
      throw new Error('nothing is measured here');
    },
  };
}

const subjects = [
  subject('Ours'),
  subject('Peer, small', 'Peer is 1.2.3.'),
  subject('Peer, large', 'Peer is 1.2.3.'),
];

function drain(of: string, round: number, messagesPerSecond: number): Measurement[] {
  return [0, 20].map((handlerLatencyMs) => ({
    kind: 'drain',
    round,
    subject: of,
    handlerLatencyMs,
    messages: 1000,
    lost: 0,
    seconds: 1,
    messagesPerSecond,
    cpuMicrosPerMessage: 10,
    peakResidentMB: 100,
    foreignCores: 0,
  }));
}

function latency(of: string, topics: number, p99Ms: number): Measurement {
  return {
    kind: 'latency',
    round: 1,
    subject: of,
    handlerLatencyMs: 20,
    topics,
    messagesPerSecond: 1000,
    p50Ms: 20,
    p99Ms,
    maxMs: p99Ms,
    foreignCores: 0,
  };
}

const measurements: readonly Measurement[] = [
  ...subjects.flatMap(({ name }, index) =>
    [3, 1, 2].flatMap((factor, round) => drain(name, round + 1, factor * 1000 * (index + 1))),
  ),
  {
    kind: 'loss',
    round: 1,
    subject: 'Peer, large',
    messages: 20_000,
    lostOnKill: 0,
    lostInOutage: 1234,
  },
];
const environment = { processor: 'p', cores: 2, node: 'v24', broker: 'b', commit: 'c' };
const missing = [{ subject: 'Absent', reason: 'there is no compiler' }];
const plan = {
  rounds: 3,
  subjects,
  latencySeconds: 1,
  latencyTopics: [1000, 10_000],
  insistOnQuiet: false,
  lossMessages: 20_000,
  long: { subjects: [], messages: 1000 },
  light: { subject: subject('Ours, at once'), messagesPerSecond: 200 },
};

describe('rows', () => {
  it('hold the median, the lowest and the highest of all rounds, at each handler latency', () => {
    const [, small] = summarize(subjects, measurements);
    expect(small?.drains.byHandler.map(({ messagesPerSecond }) => messagesPerSecond)).toEqual([
      { median: 4000, min: 2000, max: 6000 },
      { median: 4000, min: 2000, max: 6000 },
    ]);
  });

  it('hold the losses of their own subject alone', () => {
    const lost = summarize(subjects, measurements).map(({ losses }) => losses?.lostInOutage);
    expect(lost).toEqual([undefined, undefined, 1234]);
  });
});

it('the aim for p99 is the better relay, over as many topics', () => {
  const names = ['Ours', 'Go, standard library', 'Rust, standard library'];
  const rows = summarize(
    names.map((name) => subject(name)),
    [
      ...names.flatMap((name) => drain(name, 1, 1000)),
      ...names.map((name, index) => latency(name, 1000, [50, 60, 40][index] ?? 0)),
      ...names.map((name, index) => latency(name, 10_000, [40, 60, 40][index] ?? 0)),
    ],
  );
  const aims = aimsOf(rows).filter(({ aim }) => aim.startsWith('p99'));
  expect(aims.map(({ reached }) => reached)).toEqual([false, true]);
});

it('aims are held to each backlog by itself, the large one with its memory', () => {
  const long = drain('Ours', 1, 300_000).map((one) => ({
    ...one,
    kind: 'long drain' as const,
    messages: 5000,
    cpuMicrosPerMessage: 4,
    peakResidentMB: 150,
  })) as Measurement[];
  const [own] = subjects;
  const rows = summarize(own === undefined ? [] : [own], [...measurements, ...long]);
  expect(aimsOf(rows).map(({ aim, reached }) => [aim.endsWith('5,000 messages'), reached])).toEqual(
    [
      [false, false],
      [false, false],
      [true, true],
      [true, true],
      // Of 150 MB, with 140 allowed.
      [false, false],
    ],
  );
  const text = markdownOf({
    environment,
    takenAt: '2026-01-01',
    plan,
    measurements: [...measurements, ...long],
    missing,
  });
  expect(text.split('\n')).toContain(
    '| Ours | 300,000 (300,000–300,000) | 4.0 (4.0–4.0) | 300,000 (300,000–300,000) | 4.0 (4.0–4.0) | 150 (150–150) |',
  );
});

describe('the table', () => {
  const text = markdownOf({ environment, takenAt: '2026-01-01', plan, measurements, missing });
  const rowOf = (name: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(`| ${name} |`))
      ?.split(' | ');

  it('has losses beside the speed, or a dash where they were not measured', () => {
    const header = text
      .split('\n')
      .find((line) => line.startsWith('| | PUBACK'))
      ?.split(' | ');
    expect(rowOf('Peer, large')).toHaveLength(header?.length ?? 0);
    expect(rowOf('Peer, large')?.slice(-2)).toEqual(['0', '1,234 of 20,000 |']);
    expect(rowOf('Ours')?.slice(-2)).toEqual(['–', '– |']);
  });

  it('says what is not measured, and why', () => {
    expect(rowOf('Absent')).toEqual(['| Absent', 'not measured: there is no compiler |']);
  });

  it('has the note of a peer once, in however many ways it is measured', () => {
    expect(text.split('Peer is 1.2.3.')).toHaveLength(2);
  });
});

it('the plot has two bars for each subject, all within the picture', () => {
  const plot = plotOf(summarize(subjects, measurements));
  const height = Number(/viewBox="0 0 \d+ (\d+)"/.exec(plot)?.[1]);
  const bars = [...plot.matchAll(/<rect x="400" y="([\d.]+)"/g)].map(([, y]) => Number(y));
  expect(bars).toHaveLength(2 * subjects.length);
  expect(Math.max(...bars)).toBeLessThan(height - 40);
});
