// From raw figures to one row a subject, and the aims that the bridge is held to.
import { loadedLatencyMs, type Measurement } from './rounds.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { Subject } from './subject.ts';

export interface Row {
  readonly subject: string;
  readonly acknowledges: string;
  readonly drains: readonly {
    readonly handlerLatencyMs: number;
    readonly messagesPerSecond: Spread;
    readonly cpuMicrosPerMessage: Spread;
  }[];
  readonly peakResidentMB: Spread;
  /** Maximum messages of one drain that it acknowledged and the handler never saw. */
  readonly lost: number;
  /** Of so many messages; absent where it was not measured. */
  readonly losses?: {
    readonly messages: number;
    readonly lostOnKill: number;
    readonly lostInOutage: number;
  };
  readonly latency?: {
    readonly messagesPerSecond: Spread;
    readonly p50Ms: Spread;
    readonly p99Ms: Spread;
  };
  /** Peak RSS with the large backlog; of the first subject only. */
  readonly memory?: { readonly messages: number; readonly peakResidentMB: Spread };
}

export function summarize(
  subjects: readonly Subject[],
  measurements: readonly Measurement[],
): Row[] {
  return subjects.map(({ name, acknowledges, handlerLatenciesMs }) => {
    const own = measurements.filter(({ subject }) => subject === name);
    const drains = own.filter((one) => one.kind === 'drain');
    const latencies = own.filter((one) => one.kind === 'latency');
    const memory = own.filter((one) => one.kind === 'memory');
    const losses = own.find((one) => one.kind === 'loss');
    return {
      subject: name,
      acknowledges,
      drains: handlerLatenciesMs.map((handlerLatencyMs) => {
        const same = drains.filter((one) => one.handlerLatencyMs === handlerLatencyMs);
        return {
          handlerLatencyMs,
          messagesPerSecond: spreadOf(same.map((one) => one.messagesPerSecond)),
          cpuMicrosPerMessage: spreadOf(same.map((one) => one.cpuMicrosPerMessage)),
        };
      }),
      peakResidentMB: spreadOf(drains.map((one) => one.peakResidentMB)),
      lost: Math.max(...drains.map((one) => one.lost)),
      ...(losses !== undefined && { losses }),
      ...(latencies.length > 0 && {
        latency: {
          messagesPerSecond: spreadOf(latencies.map((one) => one.messagesPerSecond)),
          p50Ms: spreadOf(latencies.map((one) => one.p50Ms)),
          p99Ms: spreadOf(latencies.map((one) => one.p99Ms)),
        },
      }),
      ...(memory[0] !== undefined && {
        memory: {
          messages: memory[0].messages,
          peakResidentMB: spreadOf(memory.map((one) => one.peakResidentMB)),
        },
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
  const atLoad = (row: Row | undefined) =>
    row?.drains.find((drain) => drain.handlerLatencyMs === loadedLatencyMs);
  const rate = atLoad(ours)?.messagesPerSecond.median ?? Number.NaN;
  const micros = Math.max(...ours.drains.map((drain) => drain.cpuMicrosPerMessage.median));
  const times = (peer: string, factor: number): Aim[] => {
    const theirs = atLoad(others.find((row) => row.subject === peer))?.messagesPerSecond.median;
    if (theirs === undefined) return [];
    return [
      {
        aim: `${factor} × ${peer}, handler of ${loadedLatencyMs} ms`,
        measured: `${(rate / theirs).toFixed(1)} ×`,
        reached: rate >= factor * theirs,
      },
    ];
  };
  const p99Ms = ours.latency?.p99Ms.median ?? Number.NaN;
  const memory = ours.memory?.peakResidentMB.median ?? Number.NaN;
  return [
    {
      aim: `at least 50,000 msg/s, handler of ${loadedLatencyMs} ms`,
      measured: `${Math.round(rate).toLocaleString('en')} msg/s`,
      reached: rate >= 50_000,
    },
    ...times('Node-RED', 40),
    ...times('Node-RED, join of 100', 2),
    ...times('Node-RED, tuned', 40),
    ...times('Node-RED, join of 100, tuned', 2),
    ...times('Go, standard library', 0.95),
    ...times('Rust, standard library', 0.95),
    {
      aim: 'at most 11 µs CPU a message, at every handler latency',
      measured: `${micros.toFixed(1)} µs`,
      reached: micros <= 11,
    },
    {
      aim: `p99 from publish to stored at half load at most ${loadedLatencyMs + 25} ms`,
      measured: `${p99Ms.toFixed(1)} ms`,
      reached: p99Ms <= loadedLatencyMs + 25,
    },
    {
      aim: `peak RSS at most 150 MB, ${(ours.memory?.messages ?? 0).toLocaleString('en')} messages waiting`,
      measured: `${Math.round(memory)} MB`,
      reached: memory <= 150,
    },
  ];
}
