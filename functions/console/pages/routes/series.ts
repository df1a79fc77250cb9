// What a route did over time, as lines to draw: a step in which the bridge did not run is a gap, and stays one.
import type { Got } from '../../client/operations.ts';
import { useOwnResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';

type Series = Got<'/v1/routes/{name}/series'>;
type Point = Series['points'][number];

export const spans = ['1h', '6h', '24h'] as const;
export type Span = (typeof spans)[number];

/** About as many steps as a chart has room for; the short ones are kept for an hour. */
const steps: Readonly<Record<Span, { readonly hours: number; readonly stepSeconds: number }>> = {
  '1h': { hours: 1, stepSeconds: 30 },
  '6h': { hours: 6, stepSeconds: 180 },
  '24h': { hours: 24, stepSeconds: 600 },
};
const everyMs = 10_000;

export function useSeries(name: string, span: Span) {
  const { hours, stepSeconds } = steps[span];
  return useOwnResource(
    `${name} ${span}`,
    (signal) => {
      const from = new Date(Date.now() - hours * 3_600_000).toISOString();
      const query = { from, step: String(stepSeconds) };
      return client.get('/v1/routes/{name}/series', { params: { name }, query, signal });
    },
    everyMs,
  ).shown;
}

export interface DrawnSeries {
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  /** One for each time; null where the bridge did not run, or has no number. */
  values(of: (point: Point) => number | undefined): (number | null)[];
  readonly stepSeconds: number;
}

/** From the first point to the last step that is over. */
export function drawnSeries({ points, stepSeconds }: Series, nowMs: number): DrawnSeries {
  const byTime = new Map(points.map((point) => [Date.parse(point.at), point]));
  const first = points[0] === undefined ? nowMs : Date.parse(points[0].at);
  const stepMs = stepSeconds * 1000;
  const length = Math.max(0, Math.floor((nowMs - first) / stepMs));
  const times = Array.from({ length }, (_, index) => first + index * stepMs);
  return {
    times,
    stepSeconds,
    values: (of) =>
      times.map((time) => {
        const point = byTime.get(time);
        return point === undefined ? null : (of(point) ?? null);
      }),
  };
}
