// A chart over time, drawn by uPlot: values at the crosshair in the legend, drag to zoom, a double click shows all.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';
import { useStore } from '../state/store.ts';
import { isSystemDark, theme } from '../state/theme.ts';
import { rate } from './format.ts';

export interface Line {
  readonly name: string;
  /** One for each time; null is a gap. */
  readonly values: readonly (number | null)[];
  /** Drawn dashed or dotted, so that lines differ without colour. */
  readonly dash?: readonly number[];
  readonly isFilled?: boolean;
  /** One of the five colours of series. */
  readonly color?: 1 | 2 | 3 | 4 | 5;
}

const defaultHeightPx = 160;

/** Custom properties resolved for the canvas, which does not know them. */
function colorsOf(names: readonly string[]): Record<string, string> {
  const probe = document.createElement('span');
  document.body.append(probe);
  const colors = Object.fromEntries(
    names.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return colors;
}

export function Chart({
  label,
  times,
  lines,
  unit = '',
  group,
  heightPx = defaultHeightPx,
  isFromZero = true,
  range,
}: {
  readonly label: string;
  /** Milliseconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly unit?: string;
  /** Charts of one group have their crosshair at the same time. */
  readonly group?: string;
  readonly heightPx?: number;
  /** Whether the scale begins at zero, as it should for counts. */
  readonly isFromZero?: boolean;
  /** Time that is shown where nobody has zoomed, in milliseconds since 1970; default that of the values. */
  readonly range?: readonly [from: number, to: number];
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const whole = useRef(range);
  whole.current = range;
  const shade = `${useStore(theme)} ${useStore(isSystemDark)}`;
  const shape = lines.map(({ name }) => name).join('\n');
  const data = useMemo<UPlot.AlignedData>(
    () => [times.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])],
    [times, lines],
  );

  // Data goes in by setData, below.
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const names = ['text-3', 'grid', ...lines.map(({ color = 1 }) => `series-${color}`)];
    const colors = colorsOf(names);
    const axis = {
      stroke: colors['text-3'] ?? '',
      grid: { stroke: colors['grid'] ?? '', width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    const made = new UPlot(
      {
        width: element.clientWidth,
        height: heightPx,
        padding: [8, 28, 0, 0],
        legend: { show: false },
        cursor: {
          points: { size: 6 },
          ...(group !== undefined && { sync: { key: group } }),
        },
        scales: {
          x: {
            range: ({ data: [seconds] }, low, high) => timesOf(seconds, low, high, whole.current),
          },
          y: { range: (_, low, high) => rangeOf(low, high, isFromZero) },
        },
        axes: [
          {
            ...axis,
            size: 28,
            values: (_, splits) => splits.map((second) => timeLabel(second, made)),
          },
          {
            ...axis,
            size: 46,
            values: (_, splits, __, ___, step) => splits.map((value) => axisLabel(value, step)),
          },
        ],
        series: [
          {},
          ...lines.map(({ name, color = 1, dash, isFilled = false }) => ({
            label: name,
            stroke: colors[`series-${color}`] ?? '',
            width: 1.5,
            points: { show: times.length < 3 },
            ...(dash !== undefined && { dash: [...dash] }),
            ...(isFilled && { fill: faint(colors[`series-${color}`] ?? '') }),
          })),
        ],
        hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
      },
      data,
      element,
    );
    plot.current = made;
    const resize = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: heightPx }),
    );
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
    };
  }, [shape, shade, group]);
  useEffect(() => plot.current?.setData(data), [data]);

  const index = at ?? times.length - 1;
  return (
    <figure class="chart" aria-label={label}>
      <figcaption class="legend">
        {lines.map(({ name, values, color = 1, dash }) => {
          const value = values[index];
          return (
            <span key={name}>
              <svg viewBox="0 0 18 8" aria-hidden="true" class={`legend-line color-${color}`}>
                <path
                  d="M0 4h18"
                  {...(dash !== undefined && { 'stroke-dasharray': dash.join(' ') })}
                />
              </svg>
              {name}
              <b>
                {value === null || value === undefined
                  ? '–'
                  : `${isFromZero ? rate(value) : Number(value.toPrecision(6))}${unit}`}
              </b>
            </span>
          );
        })}
      </figcaption>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys do what the mouse does on the chart */}
      <div
        ref={place}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is reached by keys
        tabIndex={0}
        class="chart-place"
        onKeyDown={(event) => zoom(event, plot.current)}
      />
    </figure>
  );
}

/** Of lines that do not begin at zero, with a margin: one that hardly moves is not blown up to noise. */
function rangeOf(low: number | null, high: number | null, isFromZero: boolean): [number, number] {
  if (low === null || high === null) return [0, 1];
  if (isFromZero && low >= 0) return [0, high * 1.08 || 1];
  const margin = Math.max((high - low) * 0.1, Math.abs(high) * 0.005, 1e-9);
  return [low - margin, high + margin];
}

/** What somebody has zoomed to; all of the range where that is all of the values. */
function timesOf(
  seconds: ArrayLike<number>,
  low: number | null,
  high: number | null,
  range: readonly [from: number, to: number] | undefined,
): [number, number] {
  // Around a single value uPlot would show years.
  const isOne = seconds.length === 1;
  const isWhole = low === seconds[0] && (isOne || high === seconds[seconds.length - 1]);
  if (range !== undefined && isWhole) return [range[0] / 1000, range[1] / 1000];
  if (low !== null && isOne) return [low - 30, low + 30];
  return [low ?? 0, high ?? 0];
}

/** With as many digits as tell one label from the next. */
const axisLabel = (value: number, step: number): string =>
  step >= 1 ? rate(value) : value.toFixed(Math.min(6, Math.ceil(-Math.log10(step))));

function timeLabel(second: number, plot: UPlot): string {
  const { min = 0, max = 0 } = plot.scales['x'] ?? {};
  const date = new Date(second * 1000);
  const seconds = (max ?? 0) - (min ?? 0);
  const days = { day: 'numeric', month: 'short' } as const;
  if (seconds > 2 * 86_400) return date.toLocaleDateString('en-GB', days);
  return date.toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds < 300 && { second: '2-digit' }),
  });
}

function faint(color: string): string {
  return color.replace(/^rgb\((.+)\)$/, 'rgba($1, 0.12)');
}

/** ← and → move, + and − zoom, Esc shows all. */
function zoom(event: KeyboardEvent, plot: UPlot | undefined): void {
  const { min, max } = plot?.scales['x'] ?? {};
  const seconds = plot?.data[0];
  if (plot === undefined || min == null || max == null || seconds === undefined) return;
  const [first = min, last = max] = [seconds[0], seconds.at(-1)];
  const width = max - min;
  const moves: Record<string, [number, number]> = {
    ArrowLeft: [min - width / 4, max - width / 4],
    ArrowRight: [min + width / 4, max + width / 4],
    '+': [min + width / 4, max - width / 4],
    '-': [min - width / 2, max + width / 2],
    Escape: [first, last],
  };
  const to = moves[event.key];
  if (to === undefined) return;
  event.preventDefault();
  plot.setScale('x', { min: Math.max(first, to[0]), max: Math.min(last, to[1]) });
}
