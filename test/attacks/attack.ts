// One attack: what is tried, and what held. Both stand in the table at the end of `npm run attacks`.
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { percentile } from '../bench/statistics.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** What held, in words, with the figures that were measured. */
    held?: string;
  }
}

/**
 * A test that tries what `tried` says, and whose run resolves with what held: what the attacker got instead, and how
 * the others fared, as `403, and nothing was written`. Whatever did not hold is an assertion that fails.
 */
export function attack(tried: string, run: () => Promise<string>, timeoutMs?: number): void {
  test(
    tried,
    async ({ task }) => {
      task.meta.held = await run();
    },
    timeoutMs,
  );
}

export interface Slowdown {
  readonly beforeMs: number;
  readonly duringMs: number;
  /** How many times longer it takes during the attack; a call of less than `floorMs` counts as that. */
  readonly ratio: number;
}

/** Shorter calls vary by the machine's other work alone. */
const floorMs = 10;

/** An honest caller keeps to the 100 requests a second of a caller, also where each is answered at once. */
const honestPauseMs = 12;

/**
 * The 99th percentile of an honest caller's time, called one after the other: `calls` times before the attack, and as
 * often while it runs. `attacking` starts the attack, and resolves once it is under way.
 */
export async function slowdown(
  honest: () => Promise<unknown>,
  attacking: () => Promise<unknown>,
  calls = 100,
): Promise<Slowdown> {
  const beforeMs = await p99Ms(honest, calls);
  await attacking();
  const duringMs = await p99Ms(honest, calls);
  return { beforeMs, duringMs, ratio: Math.max(duringMs, floorMs) / Math.max(beforeMs, floorMs) };
}

/** In words, for what held. */
export function slowdownText({ beforeMs, duringMs }: Slowdown): string {
  return `honest p99 ${Math.round(beforeMs)} ms before, ${Math.round(duringMs)} ms during`;
}

async function p99Ms(call: () => Promise<unknown>, calls: number): Promise<number> {
  const times: number[] = [];
  for (let number = 0; number < calls; number++) {
    const startMs = performance.now();
    await call();
    times.push(performance.now() - startMs);
    await delay(honestPauseMs);
  }
  return percentile(
    times.sort((a, b) => a - b),
    0.99,
  );
}
