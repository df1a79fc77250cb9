// What a soak saw, as three curves over time in SVG, and how fast memory grew.

export interface Sample {
  readonly minute: number;
  readonly residentMB: number;
  readonly files: number;
  readonly diskMB: number;
}

const width = 900;
const panelHeight = 150;
const left = 70;
const right = 20;
const gap = 50;

const panels = [
  { title: 'Resident memory, MB', of: ({ residentMB }: Sample) => residentMB, colour: '#2f6db5' },
  { title: 'Open files', of: ({ files }: Sample) => files, colour: '#e07b39' },
  { title: 'Data folder, MB', of: ({ diskMB }: Sample) => diskMB, colour: '#3a8f5c' },
] as const;

export function plotOf(samples: readonly Sample[]): string {
  const height = panels.length * (panelHeight + gap) + 20;
  const lastMinute = Math.max(1e-9, ...samples.map(({ minute }) => minute));
  const drawn = panels.map(({ title, of, colour }, index) => {
    const top = 40 + index * (panelHeight + gap);
    const highest = Math.max(1, ...samples.map(of)) * 1.1;
    const points = samples.map((sample) => {
      const x = left + (sample.minute / lastMinute) * (width - left - right);
      const y = top + panelHeight * (1 - of(sample) / highest);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    return `<text x="${left}" y="${top - 10}" font-weight="bold">${title}</text>
<path d="M${left} ${top}V${top + panelHeight}H${width - right}" fill="none" stroke="#888"/>
<text x="${left - 8}" y="${top + 5}" text-anchor="end">${highest.toFixed(0)}</text>
<text x="${left - 8}" y="${top + panelHeight}" text-anchor="end">0</text>
<text x="${width - right}" y="${top + panelHeight + 18}" text-anchor="end">${lastMinute.toFixed(1)} minutes</text>
<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="14" fill="#222">
<title>Memory, files and disk of npm start over time</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`;
}

export interface Slope {
  /** MB an hour. */
  readonly perHour: number;
  /** Half of the interval in which the true slope lies with 95 % confidence. */
  readonly plusMinus: number;
}

const blocks = 10;
/** Student's t of 95 %, for a line through that many points. */
const t = 2.306;

/**
 * The slope of memory over the second half, as the first warms up: by least squares through the means of ten stretches,
 * which depend less on each other than one second does on the next.
 */
export function slopeOf(samples: readonly Sample[]): Slope {
  const half = samples.slice(Math.floor(samples.length / 2));
  const size = half.length / blocks;
  const points = Array.from({ length: blocks }, (_, n) => {
    const block = half.slice(Math.floor(n * size), Math.floor((n + 1) * size));
    return {
      hour: meanOf(block, ({ minute }) => minute / 60),
      residentMB: meanOf(block, ({ residentMB }) => residentMB),
    };
  });
  const hour = meanOf(points, (point) => point.hour);
  const residentMB = meanOf(points, (point) => point.residentMB);
  const spread = sumOf(points, (point) => (point.hour - hour) ** 2);
  const perHour =
    sumOf(points, (point) => (point.hour - hour) * (point.residentMB - residentMB)) / spread;
  const squares = sumOf(
    points,
    (point) => (point.residentMB - residentMB - perHour * (point.hour - hour)) ** 2,
  );
  return { perHour, plusMinus: t * Math.sqrt(squares / (blocks - 2) / spread) };
}

function sumOf<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

function meanOf<T>(all: readonly T[], of: (one: T) => number): number {
  return sumOf(all, of) / all.length;
}
