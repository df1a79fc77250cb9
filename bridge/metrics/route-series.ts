// The curves of a route: its numbers in steps of ten seconds for an hour, and of a minute for a day, in memory alone. A
// restart begins them from nothing: to keep them would cost a write for each route and minute.
import {
  longStepSeconds,
  longStepsKeptSeconds,
  type SeriesPoint,
  shortStepSeconds,
  shortStepsKeptSeconds,
} from '../../functions/contract/route-history.ts';
import { Latencies } from './latencies.ts';
import type { RouteCounters } from './metrics.ts';
import { type Step, StepRing, type StepValues } from './step-ring.ts';

type Counts = Pick<RouteCounters, 'received' | 'delivered' | 'retried' | 'quarantined'>;

/** A route as it stands at a moment. */
export interface Sample {
  /** Since the bridge started. */
  readonly counters: Counts;
  readonly unsettled: number;
  /** Undefined where the broker does not tell it. */
  readonly backlog: number | undefined;
  readonly inFlight: number;
  readonly limit: number;
}

const noCounts: Counts = { received: 0, delivered: 0, retried: 0, quarantined: 0 };

/** One length of step, and what has happened in the present one. */
class Curve {
  readonly ring: StepRing;
  readonly #latencies = new Latencies();
  #requestMessages = 0;
  #step = Number.NaN;
  /** The counters when the step began. */
  #before = noCounts;
  #last: { readonly atMs: number; readonly sample: Sample } | undefined;

  constructor(stepSeconds: number, keptSeconds: number) {
    this.ring = new StepRing(stepSeconds * 1000, keptSeconds / stepSeconds);
  }

  request(messages: number, latencyMs: number, nowMs: number): void {
    this.#enter(nowMs);
    this.#latencies.add(latencyMs);
    this.#requestMessages += messages;
  }

  look(sample: Sample, nowMs: number): void {
    this.#enter(nowMs);
    this.#last = { atMs: nowMs, sample };
    this.ring.write(nowMs, this.#values(sample));
  }

  #enter(nowMs: number): void {
    const step = Math.floor(nowMs / this.ring.stepMs);
    if (step === this.#step) return;
    this.#step = step;
    if (this.#last !== undefined) {
      // With the requests that ended since.
      this.ring.write(this.#last.atMs, this.#values(this.#last.sample));
      this.#before = { ...this.#last.sample.counters };
    }
    this.#latencies.clear();
    this.#requestMessages = 0;
  }

  #values({ counters, unsettled, backlog = Number.NaN, inFlight, limit }: Sample): StepValues {
    const latencies = this.#latencies;
    return {
      received: counters.received - this.#before.received,
      delivered: counters.delivered - this.#before.delivered,
      retried: counters.retried - this.#before.retried,
      quarantined: counters.quarantined - this.#before.quarantined,
      unsettled,
      backlog,
      inFlight,
      limit,
      requests: latencies.total,
      requestMessages: this.#requestMessages,
      p50: latencies.percentile(0.5),
      p95: latencies.percentile(0.95),
      p99: latencies.percentile(0.99),
    };
  }
}

export class RouteSeries {
  readonly sinceMs: number;
  readonly #short = new Curve(shortStepSeconds, shortStepsKeptSeconds);
  readonly #long = new Curve(longStepSeconds, longStepsKeptSeconds);

  constructor(nowMs = Date.now()) {
    this.sinceMs = nowMs;
  }

  /** Once for each request to the handler. */
  request(messages: number, latencyMs: number, nowMs = Date.now()): void {
    this.#short.request(messages, latencyMs, nowMs);
    this.#long.request(messages, latencyMs, nowMs);
  }

  /** To be called often: what a step has is known to the last look. */
  look(sample: Sample, nowMs = Date.now()): void {
    const own = { ...sample, counters: { ...sample.counters } };
    this.#short.look(own, nowMs);
    this.#long.look(own, nowMs);
  }

  /** Steps of so many seconds, a multiple of those that are kept, that begin from `fromMs` on and before `toMs`. */
  points(fromMs: number, toMs: number, stepSeconds: number): SeriesPoint[] {
    const stepMs = stepSeconds * 1000;
    const { ring } = stepSeconds % longStepSeconds === 0 ? this.#long : this.#short;
    const first = Math.floor(fromMs / stepMs) * stepMs;
    const groups = new Map<number, Step[]>();
    for (const step of ring.read(first, toMs)) {
      const atMs = Math.floor(step.atMs / stepMs) * stepMs;
      groups.set(atMs, [...(groups.get(atMs) ?? []), step]);
    }
    return Array.from(groups, ([atMs, steps]) => pointOf(atMs, steps));
  }
}

/** Several steps as one: counts add up, the last state holds, and of percentiles the largest. */
function pointOf(atMs: number, steps: readonly Step[]): SeriesPoint {
  const sum = (field: keyof StepValues) =>
    steps.reduce((total, { values }) => total + values[field], 0);
  const last = (field: keyof StepValues) => steps.at(-1)?.values[field] ?? 0;
  const largest = (field: keyof StepValues) =>
    Math.max(...steps.map(({ values }) => values[field]).filter((value) => !Number.isNaN(value)));
  const requests = sum('requests');
  const backlog = last('backlog');
  return {
    at: new Date(atMs).toISOString(),
    received: sum('received'),
    delivered: sum('delivered'),
    retried: sum('retried'),
    quarantined: sum('quarantined'),
    unsettledMessages: last('unsettled'),
    ...(!Number.isNaN(backlog) && { backlogMessages: backlog }),
    requestsInFlight: last('inFlight'),
    concurrencyLimit: Math.floor(last('limit')),
    ...(requests > 0 && {
      batchMessages: tenth(sum('requestMessages') / requests),
      p50Ms: tenth(largest('p50')),
      p95Ms: tenth(largest('p95')),
      p99Ms: tenth(largest('p99')),
    }),
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
