// What a benchmark says of each measurement while it runs.
import type { DrainFigures, LatencyFigures } from './measure.ts';
import type { Subject } from './subject.ts';
import { disturbingCores } from './undisturbed.ts';

export function describe({ round, subject }: { round: number; subject: string }): string {
  return `round ${round}: ${subject}`;
}

export function drainText(figures: DrainFigures): string {
  const { messagesPerSecond, cpuMicrosPerMessage, peakResidentMB, foreignCores } = figures;
  return `${Math.round(messagesPerSecond)} msg/s, ${cpuMicrosPerMessage.toFixed(1)} µs CPU a message, peak RSS ${Math.round(peakResidentMB)} MB${foreignText(foreignCores)}`;
}

/** Where each request has one message: how much of the rate is reached that so many requests at once allow. */
export function allowedText(
  { requestsAtOnce }: Subject,
  handlerLatencyMs: number,
  { messagesPerSecond }: DrainFigures,
): string {
  if (requestsAtOnce === undefined) return '';
  const allowed = (requestsAtOnce * 1000) / handlerLatencyMs;
  return `, ${Math.round((messagesPerSecond / allowed) * 100)} % of what ${requestsAtOnce} requests at once allow`;
}

export function latencyText({
  messagesPerSecond,
  p50Ms,
  p99Ms,
  maxMs,
  foreignCores,
}: LatencyFigures): string {
  return `at ${Math.round(messagesPerSecond)} msg/s p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, max ${maxMs.toFixed(1)} ms${foreignText(foreignCores)}`;
}

function foreignText(foreignCores: number): string {
  return foreignCores < disturbingCores
    ? ''
    : ` (disturbed: others took ${foreignCores.toFixed(1)} cores)`;
}
