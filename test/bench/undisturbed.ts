// Keeps other programs of the machine out of the figures, as far as a benchmark can: waits for quiet, and repeats.
import { setTimeout as delay } from 'node:timers/promises';
import { nowMicros } from './payload.ts';
import { machineBusyMicros } from './process-usage.ts';

/** Cores busy with anything else. Kernel threads that work for the benchmark itself stay below. */
export const disturbingCores = 0.25;
const mostTries = 2;
const mostWaitMs = 15_000;

/** Measures when the machine is quiet, again where it did not stay so; of all tries, the least disturbed. */
export async function undisturbed<T extends { readonly foreignCores: number }>(
  measure: () => Promise<T>,
): Promise<T> {
  let best: T | undefined;
  for (let tries = 0; tries < mostTries; tries++) {
    await quiet();
    const figures = await measure();
    if (best === undefined || figures.foreignCores < best.foreignCores) best = figures;
    if (best.foreignCores < disturbingCores) break;
  }
  if (best === undefined) throw new Error('nothing was measured');
  return best;
}

async function quiet(): Promise<void> {
  const deadlineMs = Date.now() + mostWaitMs;
  while (Date.now() < deadlineMs) {
    const busyMicros = machineBusyMicros();
    const startMicros = nowMicros();
    await delay(500);
    const cores = (machineBusyMicros() - busyMicros) / (nowMicros() - startMicros);
    if (cores < disturbingCores) return;
  }
}
