// From raw figures to one row a subject, and the aims that the bridge is held to.
import { loadedLatencyMs, type Measurement } from './rounds.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { Subject } from './subject.ts';

/** Drains of backlogs of one size. */
export interface Drains {
  readonly byHandler: readonly {
    readonly handlerLatencyMs: number;
    readonly messagesPerSecond: Spread;
    readonly cpuMicrosPerMessage: Spread;
  }[];
  readonly peakResidentMB: Spread;
}

export interface Row {
  readonly subject: string;
  readonly acknowledges: string;
  readonly drains: Drains;
  /** Of the large backlog; absent where it was not measured. */
  readonly longDrains?: Drains & { readonly messages: number };
  /** Maximum messages of one drain that it acknowledged and the handler never saw. */
  readonly lost: number;
  /** Of so many messages; absent where it was not measured. */
  readonly losses?: {
    readonly messages: number;
    readonly lostOnKill: number;
    readonly lostInOutage: number;
  };
  /** By the number of topics. */
  readonly latencies: readonly {
    readonly topics: number;
    readonly messagesPerSecond: Spread;
    readonly p50Ms: Spread;
    readonly p99Ms: Spread;
  }[];
}

type Drain = Extract<Measurement, { kind: 'drain' | 'long drain' }>;

function drainsOf({ handlerLatenciesMs }: Subject, drains: readonly Drain[]): Drains {
  return {
    byHandler: handlerLatenciesMs.flatMap((handlerLatencyMs) => {
      const same = drains.filter((one) => one.handlerLatencyMs === handlerLatencyMs);
      if (same.length === 0) return [];
      return {
        handlerLatencyMs,
        messagesPerSecond: spreadOf(same.map((one) => one.messagesPerSecond)),
        cpuMicrosPerMessage: spreadOf(same.map((one) => one.cpuMicrosPerMessage)),
      };
    }),
    peakResidentMB: spreadOf(drains.map((one) => one.peakResidentMB)),
  };
}

export function summarize(
  subjects: readonly Subject[],
  measurements: readonly Measurement[],
): Row[] {
  return subjects.map((measured) => {
    const { name, acknowledges } = measured;
    const own = measurements.filter(({ subject }) => subject === name);
    const drains = own.filter((one) => one.kind === 'drain');
    const latencies = own.filter((one) => one.kind === 'latency');
    const long = own.filter((one) => one.kind === 'long drain');
    const losses = own.find((one) => one.kind === 'loss');
    return {
      subject: name,
      acknowledges,
      drains: drainsOf(measured, drains),
      ...(long[0] !== undefined && {
        longDrains: { messages: long[0].messages, ...drainsOf(measured, long) },
      }),
      lost: Math.max(0, ...[...drains, ...long].map((one) => one.lost)),
      ...(losses !== undefined && { losses }),
      latencies: [...new Set(latencies.map(({ topics }) => topics))].map((topics) => {
        const same = latencies.filter((one) => one.topics === topics);
        return {
          topics,
          messagesPerSecond: spreadOf(same.map((one) => one.messagesPerSecond)),
          p50Ms: spreadOf(same.map((one) => one.p50Ms)),
          p99Ms: spreadOf(same.map((one) => one.p99Ms)),
        };
      }),
    };
  });
}

export interface Aim {
  readonly aim: string;
  readonly measured: string;
  readonly reached: boolean;
}

/** The aims hold for the medians of the first subject. */
export function aimsOf([ours, ...others]: readonly Row[]): Aim[] {
  if (ours === undefined) return [];
  const { longDrains } = ours;
  return [
    ...drainAims(ours, others, ({ drains }) => drains),
    ...(longDrains === undefined
      ? []
      : drainAims(ours, others, (row) => row.longDrains).map((aim) => ({
          ...aim,
          aim: `${aim.aim}, ${longDrains.messages.toLocaleString('en')} messages`,
        }))),
    ...ours.latencies.flatMap(({ topics, p99Ms }) => p99Aim(topics, p99Ms.median, others)),
    ...(longDrains === undefined ? [] : [memoryAim(longDrains)]),
  ];
}

/** Of the drains that `pick` gives, beside the peers that have some. */
function drainAims(
  ours: Row,
  others: readonly Row[],
  pick: (row: Row) => Drains | undefined,
): Aim[] {
  const rateOf = (row: Row | undefined, latencyMs: number) =>
    (row && pick(row))?.byHandler.find((one) => one.handlerLatencyMs === latencyMs)
      ?.messagesPerSecond.median;
  const undelayedRate = rateOf(ours, 0) ?? Number.NaN;
  const rate = rateOf(ours, loadedLatencyMs) ?? Number.NaN;
  const micros = Math.max(
    ...(pick(ours)?.byHandler ?? []).map((one) => one.cpuMicrosPerMessage.median),
  );
  const times = (peer: string, factor: number): Aim[] => {
    const theirs = rateOf(
      others.find((row) => row.subject === peer),
      loadedLatencyMs,
    );
    if (theirs === undefined) return [];
    return [
      {
        aim: `${factor} × ${peer}, handler of ${loadedLatencyMs} ms`,
        measured: `${(rate / theirs).toFixed(2)} ×`,
        reached: rate >= factor * theirs,
      },
    ];
  };
  return [
    {
      aim: 'at least 200,000 msg/s, handler of 0 ms',
      measured: `${Math.round(undelayedRate).toLocaleString('en')} msg/s`,
      reached: undelayedRate >= 200_000,
    },
    ...times('Node-RED', 40),
    ...times('Node-RED, join of 100', 2),
    ...times('Node-RED, tuned', 40),
    ...times('Node-RED, join of 100, tuned', 2),
    ...relays.flatMap((relay) => times(relay, 0.95)),
    {
      aim: 'at most 5 µs CPU a message, at every handler latency',
      measured: `${micros.toFixed(1)} µs`,
      reached: micros <= 5,
    },
  ];
}

function memoryAim({ messages, peakResidentMB }: NonNullable<Row['longDrains']>): Aim {
  return {
    aim: `peak RSS at most 140 MB, ${messages.toLocaleString('en')} messages waiting`,
    measured: `${Math.round(peakResidentMB.median)} MB`,
    reached: peakResidentMB.median <= 140,
  };
}

/** Few messages, each sent at once. */
export function lightAim(measurements: readonly Measurement[]): Aim[] {
  const light = measurements.filter((one) => one.kind === 'light');
  if (light.length === 0) return [];
  const p50Ms = spreadOf(light.map((one) => one.p50Ms)).median;
  const perSecond = spreadOf(light.map((one) => one.messagesPerSecond)).median;
  return [
    {
      aim: `p50 from publish to stored at most 1.5 ms, ${Math.round(perSecond)} msg/s, handler of 0 ms, lingerMs 0`,
      measured: `${p50Ms.toFixed(2)} ms`,
      reached: p50Ms <= 1.5,
    },
  ];
}

/** Relays with the same promise: what a bridge with less to do, in a compiled language, reaches on the same machine. */
export const relays = ['Go, standard library', 'Rust, standard library'];

/** No worse than the better of the relays; no aim where none was measured. */
function p99Aim(topics: number, p99Ms: number, others: readonly Row[]): Aim[] {
  const theirs = others
    .filter(({ subject }) => relays.includes(subject))
    .flatMap(({ latencies }) => latencies.filter((one) => one.topics === topics))
    .map((one) => one.p99Ms.median);
  if (theirs.length === 0) return [];
  const bestMs = Math.min(...theirs);
  return [
    {
      aim: `p99 from publish to stored over ${topics.toLocaleString('en')} topics no worse than that of the better of the relays in Go and Rust`,
      measured: `${p99Ms.toFixed(1)} ms beside ${bestMs.toFixed(1)}`,
      reached: p99Ms <= bestMs,
    },
  ];
}
