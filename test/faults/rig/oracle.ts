// The judge: compares what the broker acknowledged to the publisher with all that is kept anywhere.
import type { Sent } from './publisher.ts';

/** A message as it was found in the table, or among the dead letters with its reason. */
export interface Kept {
  /** Undefined where the payload is not one of the publisher's. */
  readonly number: number | undefined;
  readonly topic: string;
  readonly digest: string;
  readonly reason?: string;
}

export interface Evidence {
  readonly sent: ReadonlyMap<number, Sent>;
  readonly acknowledged: ReadonlySet<number>;
  readonly stored: readonly Kept[];
  readonly quarantined: readonly Kept[];
  /** Messages whose PUBACK the bridge sent at a time when they were not stored. */
  readonly acknowledgedUnstored: ReadonlySet<number>;
  /** Acknowledged messages that the broker itself may have lost. */
  readonly brokersLoss?: ReadonlySet<number>;
}

export interface Verdict {
  readonly published: number;
  readonly stored: number;
  readonly quarantined: number;
  readonly duplicates: number;
  /** What breaks the promise, in words; empty where it was kept. */
  readonly faults: readonly string[];
}

/**
 * The promise: every message that the broker acknowledged to its publisher is stored once, or is in the
 * quarantine with its reason, as it was sent; and nothing else is anywhere. A message whose PUBACK never
 * reached the publisher is in doubt: it may be kept once, or not at all. And a PUBACK means stored: no message
 * has one before it is safe, whether anything was lost by it or not.
 */
export function judge(evidence: Evidence): Verdict {
  const { sent, acknowledged, stored, quarantined, acknowledgedUnstored } = evidence;
  const { brokersLoss = new Set<number>() } = evidence;
  const copies = new Map<number, number>();
  const foreign: string[] = [];
  const damaged: number[] = [];
  const unreasoned: number[] = [];
  for (const { number, topic, digest } of [...stored, ...quarantined]) {
    const original = number === undefined ? undefined : sent.get(number);
    if (number === undefined || original === undefined) {
      foreign.push(`${topic} ${number ?? '?'}`);
      continue;
    }
    copies.set(number, (copies.get(number) ?? 0) + 1);
    if (original.topic !== topic || original.digest !== digest) damaged.push(number);
  }
  for (const { number, reason } of quarantined) {
    if (number !== undefined && (reason === undefined || reason === '')) unreasoned.push(number);
  }
  const lost = [...acknowledged].filter(
    (number) => !copies.has(number) && !brokersLoss.has(number),
  );
  const dead = new Set(quarantined.map(({ number }) => number));
  const early = [...acknowledgedUnstored].filter((number) => !dead.has(number));
  const twice = [...copies].filter(([, count]) => count > 1);
  return {
    published: acknowledged.size,
    stored: stored.length,
    quarantined: quarantined.length,
    duplicates: twice.reduce((sum, [, count]) => sum + count - 1, 0),
    faults: [
      ...fault('lost', lost),
      ...fault(
        'kept more than once',
        twice.map(([number]) => number),
      ),
      ...fault('acknowledged to the broker and not stored by then', early),
      ...fault('damaged', damaged),
      ...fault('among the dead letters without a reason', unreasoned),
      ...fault('kept, and never published', foreign),
    ],
  };
}

function fault(what: string, which: readonly (number | string)[]): string[] {
  if (which.length === 0) return [];
  const first = which.slice(0, 10).join(', ');
  return [`${which.length} ${what}: ${first}${which.length > 10 ? ', …' : ''}`];
}
