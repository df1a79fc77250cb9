// The plot: messages per second of every subject as bars on a logarithmic scale, in SVG.
import type { Row } from './summary.ts';

const width = 1130;
const left = 400;
const right = 190;
const top = 92;
const barHeight = 20;
const barGap = 4;
const groupGap = 20;
const decades = { from: 2, to: 6 };

const colours: Record<number, string> = { 0: '#2f6db5', 20: '#e07b39' };

export function plotOf(rows: readonly Row[]): string {
  let y = top;
  const groups: string[] = [];
  for (const row of rows) {
    const height = row.drains.byHandler.length * (barHeight + barGap) - barGap;
    groups.push(label(left - 12, y + height / 2 + 5, row.subject, 'end', 'bold'));
    for (const { handlerLatencyMs, messagesPerSecond, cpuMicrosPerMessage } of row.drains
      .byHandler) {
      groups.push(
        bar(y, messagesPerSecond.median, colours[handlerLatencyMs] ?? '#888'),
        whisker(y, messagesPerSecond.min, messagesPerSecond.max),
        label(
          Math.max(x(messagesPerSecond.median), x(messagesPerSecond.max)) + 8,
          y + 15,
          `${Math.round(messagesPerSecond.median).toLocaleString('en')}  ·  ${cpuMicrosPerMessage.median.toFixed(1)} µs`,
        ),
      );
      y += barHeight + barGap;
    }
    y += groupGap;
  }
  const bottom = y - groupGap / 2;
  const height = bottom + 40;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="14" fill="#222">
<title>Messages per second and CPU per message of the bridge, its ceiling and its peers</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${label(20, 32, 'Messages per second · µs CPU per message', 'start', 'bold', 18)}
${label(20, 56, '256-byte JSON, 1,000 topics, QoS 1, drain of a backlog; medians, black line: lowest to highest run; logarithmic scale')}
${legend()}
${grid(bottom)}
${groups.join('\n')}
</svg>
`;
}

/** Where a value stands on the logarithmic axis. */
function x(value: number): number {
  const share = (Math.log10(Math.max(value, 1)) - decades.from) / (decades.to - decades.from);
  return left + Math.min(1, Math.max(0, share)) * (width - left - right);
}

function bar(y: number, value: number, colour: string): string {
  return `<rect x="${left}" y="${y}" width="${(x(value) - left).toFixed(1)}" height="${barHeight}" fill="${colour}"/>`;
}

function whisker(y: number, min: number, max: number): string {
  const middle = y + barHeight / 2;
  return `<path d="M${x(min).toFixed(1)} ${middle}H${x(max).toFixed(1)}" stroke="#222" stroke-width="2"/>`;
}

function grid(bottom: number): string {
  const lines: string[] = [];
  for (let decade = decades.from; decade <= decades.to; decade++) {
    const at = x(10 ** decade).toFixed(1);
    lines.push(
      `<path d="M${at} ${top - 8}V${bottom}" stroke="#ccc"/>`,
      label(Number(at), bottom + 20, (10 ** decade).toLocaleString('en'), 'middle'),
    );
  }
  return lines.join('\n');
}

function legend(): string {
  return Object.entries(colours)
    .map(([latencyMs, colour], index) => {
      const at = width - 290 + index * 140;
      return `<rect x="${at}" y="18" width="16" height="16" fill="${colour}"/>${label(at + 24, 31, `handler ${latencyMs} ms`)}`;
    })
    .join('\n');
}

function label(
  at: number,
  y: number,
  text: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
  weight: 'normal' | 'bold' = 'normal',
  size = 14,
): string {
  return `<text x="${at.toFixed(1)}" y="${y}" text-anchor="${anchor}" font-weight="${weight}" font-size="${size}">${text}</text>`;
}
