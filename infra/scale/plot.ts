// Lines over two logarithmic axes, as SVG. Pure.

export interface Line {
  readonly name: string;
  readonly dashed: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Axes {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

const width = 720;
const height = 420;
const left = 80;
const right = 190;
const top = 50;
const bottom = 60;
const colours = ['#2f6db5', '#e07b39', '#3a9152', '#8a4fae'];

/** Exponents of ten around the values. */
function decadesOf(values: readonly number[]): readonly [from: number, to: number] {
  return [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
}

const decades = ([from, to]: readonly [number, number]) =>
  Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));

export function plotOf({ title, x, y }: Axes, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const xs = decadesOf(points.map((point) => point.x));
  const ys = decadesOf(points.map((point) => point.y));
  const atX = (value: number) =>
    left + ((Math.log10(value) - xs[0]) / (xs[1] - xs[0])) * (width - left - right);
  const atY = (value: number) =>
    height - bottom - ((Math.log10(value) - ys[0]) / (ys[1] - ys[0])) * (height - top - bottom);
  const grid = [
    ...decades(xs).map((value) => {
      const at = atX(value).toFixed(1);
      return `<path d="M${at} ${top}V${height - bottom}" stroke="#ddd"/>${label(Number(at), height - bottom + 18, value.toLocaleString('en'), 'middle')}`;
    }),
    ...decades(ys).map((value) => {
      const at = atY(value).toFixed(1);
      return `<path d="M${left} ${at}H${width - right}" stroke="#ddd"/>${label(left - 8, Number(at) + 4, value.toLocaleString('en'), 'end')}`;
    }),
  ];
  const drawn = lines.map(({ name, dashed, points: some }, index) => {
    const colour = colours[index % colours.length];
    const path = some.map((point) => `${atX(point.x).toFixed(1)} ${atY(point.y).toFixed(1)}`);
    const dash = dashed ? ' stroke-dasharray="6 4"' : '';
    const at = top + 14 + index * 22;
    const legend = `<path d="M${width - right + 12} ${at - 4}h24" stroke="${colour}" stroke-width="2"${dash}/>${label(width - right + 42, at, name)}`;
    return `<path d="M${path.join('L')}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>\n${legend}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${label(20, 22, title)}
${grid.join('\n')}
${drawn.join('\n')}
${label((left + width - right) / 2, height - 16, x, 'middle')}
${label(20, top - 8, y)}
</svg>
`;
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end' = 'start') {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
}
