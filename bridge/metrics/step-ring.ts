// A route's numbers by steps of time, the last so many of them: fixed memory, 60 bytes a step.

/** What is kept of a step. Counts are of the step, the others as they were last seen in it; NaN where there is no value. */
const fields = [
  'received',
  'delivered',
  'retried',
  'quarantined',
  'unsettled',
  'backlog',
  'inFlight',
  'limit',
  'requests',
  'requestMessages',
  'p50',
  'p95',
  'p99',
] as const;

export type StepValues = Record<(typeof fields)[number], number>;

export interface Step {
  readonly atMs: number;
  readonly values: StepValues;
}

export class StepRing {
  readonly stepMs: number;
  readonly #capacity: number;
  /** The number of the step in each place, since 1970; below 0 where there is none. */
  readonly #steps: Float64Array;
  readonly #values: Float32Array;

  constructor(stepMs: number, capacity: number) {
    this.stepMs = stepMs;
    this.#capacity = capacity;
    this.#steps = new Float64Array(capacity).fill(-1);
    this.#values = new Float32Array(capacity * fields.length);
  }

  /** Writes the step that a time is in, in the place of what is there. */
  write(atMs: number, values: StepValues): void {
    const step = Math.floor(atMs / this.stepMs);
    const place = step % this.#capacity;
    this.#steps[place] = step;
    this.#values.set(
      fields.map((field) => values[field]),
      place * fields.length,
    );
  }

  /** The steps that begin from `fromMs` on and before `toMs`, the oldest first. */
  *read(fromMs: number, toMs: number): Generator<Step> {
    const last = Math.ceil(toMs / this.stepMs) - 1;
    const first = Math.max(0, Math.ceil(fromMs / this.stepMs), last - this.#capacity + 1);
    for (let step = first; step <= last; step++) {
      const place = step % this.#capacity;
      if (this.#steps[place] !== step) continue;
      const row = this.#values.subarray(place * fields.length, (place + 1) * fields.length);
      const values = Object.fromEntries(fields.map((field, index) => [field, row[index]]));
      yield { atMs: step * this.stepMs, values: values as StepValues };
    }
  }
}
