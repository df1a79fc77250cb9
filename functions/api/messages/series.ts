// Numbers in payloads, reduced to one point for each step of time.
import { jsonOrUndefined } from '../../contract/parse.ts';

/** What the numbers of one step come to. */
export interface SeriesPoint {
  /** Start of the step; steps are counted from 1970. */
  readonly at: string;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly count: number;
}

export interface SeriesOfField {
  /** Absent where it is the payload itself. */
  readonly field?: string;
  /** In order; steps without a number have none. */
  readonly points: readonly SeriesPoint[];
}

export class SeriesReduction {
  readonly #stepMs: number;
  readonly #series: readonly { readonly field?: string; readonly points: SeriesPoint[] }[];

  /** Of `fields`, which are names joined by dots; without one, of payloads that are numbers themselves. */
  constructor(stepSeconds: number, fields: readonly string[] | undefined) {
    this.#stepMs = stepSeconds * 1000;
    this.#series =
      fields === undefined ? [{ points: [] }] : fields.map((field) => ({ field, points: [] }));
  }

  /** Adds a message; they come in the order of their times. */
  add(timeMs: number, payload: Uint8Array): void {
    const value = jsonOrUndefined(Buffer.from(payload).toString());
    const at = new Date(Math.floor(timeMs / this.#stepMs) * this.#stepMs).toISOString();
    for (const { field, points } of this.#series) {
      const number = field === undefined ? value : valueAt(value, field);
      // 1e400 is JSON, and no number here.
      if (typeof number !== 'number' || !Number.isFinite(number)) continue;
      const last = points.at(-1);
      if (last?.at === at) points[points.length - 1] = joined(last, number);
      else points.push({ at, min: number, mean: number, max: number, count: 1 });
    }
  }

  get series(): readonly SeriesOfField[] {
    return this.#series;
  }
}

function joined({ at, min, mean, max, count: before }: SeriesPoint, number: number): SeriesPoint {
  const count = before + 1;
  return {
    at,
    min: Math.min(min, number),
    // No sum, which may be too large.
    mean: mean * (before / count) + number / count,
    max: Math.max(max, number),
    count,
  };
}

function valueAt(value: unknown, field: string): unknown {
  let inner = value;
  for (const name of field.split('.')) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, name))
      return undefined;
    inner = (inner as Record<string, unknown>)[name];
  }
  return inner;
}
