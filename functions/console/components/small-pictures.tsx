// Small pictures in rows and facts: a curve without axes, and states over time as a strip.

const width = 100;
const height = 24;

/** A curve; undefined is a gap, and stays one. */
export function Spark({
  values,
  label,
  tone = '',
}: {
  readonly values: readonly (number | undefined)[];
  readonly label: string;
  readonly tone?: string;
}) {
  const highest = Math.max(1e-9, ...values.filter((value) => value !== undefined)) * 1.08;
  const step = width / Math.max(1, values.length - 1);
  let line = '';
  let area = '';
  let start: number | undefined;
  const close = (x: number) => {
    if (start !== undefined) area += `L${x} ${height}L${start} ${height}Z`;
    start = undefined;
  };
  for (const [index, value] of values.entries()) {
    const x = Number((index * step).toFixed(2));
    if (value === undefined) {
      close(Number((x - step).toFixed(2)));
      continue;
    }
    const point = `${start === undefined ? 'M' : 'L'}${x} ${(height - (value / highest) * height).toFixed(2)}`;
    start ??= x;
    line += point;
    area += point;
  }
  close(width);
  return (
    <svg
      class={`spark ${tone}`}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="spark-area" d={area} />
      <path class="spark-line" d={line} />
    </svg>
  );
}

/** How a state is drawn on a strip: full, hatched, or thin. */
const strips: Readonly<Record<string, string>> = {
  active: 'strip-ok',
  online: 'strip-ok',
  holding: 'strip-warn',
  unknown: 'strip-warn',
  flapping: 'strip-flapping',
  disconnected: 'strip-bad',
  disabled: 'strip-bad',
};
const stripHeight = 16;
const stripWidth = 1000;

export interface Period {
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  readonly state: string;
}

/** States from `from` to `to`, oldest first; before the first of them nothing is known. */
export function Strip({
  periods,
  from,
  to,
  label,
}: {
  readonly periods: readonly Period[];
  readonly from: number;
  readonly to: number;
  readonly label: string;
}) {
  const placeOf = (at: number) =>
    (Math.min(1, Math.max(0, (at - from) / (to - from))) * stripWidth).toFixed(1);
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${stripWidth} ${stripHeight}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {periods.map(({ at, state }, index) => {
        const start = Number(placeOf(at));
        const end = Number(placeOf(periods[index + 1]?.at ?? to));
        if (end <= 0 && at < from) return null;
        const look = strips[state];
        return (
          <rect
            key={at}
            class={look ?? 'strip-quiet'}
            x={start}
            y={look === undefined ? 6 : 0}
            height={look === undefined ? 4 : stripHeight}
            width={Math.max(3, end - start - 1)}
          />
        );
      })}
    </svg>
  );
}

/** The hatches that strips are filled with, once for the page. */
export function Hatches() {
  const hatches = [
    ['warn', '--warn', 'rotate(45)', 3.4],
    ['bad', '--bad', 'rotate(45)', 3],
    ['flapping', '--warn', '', 3],
  ] as const;
  return (
    <svg width="0" height="0" class="hatches" aria-hidden="true">
      <defs>
        {hatches.map(([name, color, turn, thick]) => (
          <pattern
            key={name}
            id={`hatch-${name}`}
            width="6"
            height="6"
            patternUnits="userSpaceOnUse"
            patternTransform={turn}
          >
            <rect width="6" height="6" fill={`var(${color})`} opacity=".45" />
            <rect width={thick} height="6" fill={`var(${color})`} />
          </pattern>
        ))}
      </defs>
    </svg>
  );
}
