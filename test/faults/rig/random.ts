// The seed and the size of a run of the fault suite, and the random numbers that follow from the seed.

/** FAULTS_SEED repeats a run, as far as the timing of several processes can be repeated. */
export const seed = Number(process.env['FAULTS_SEED'] ?? 1);

const scale = Number(process.env['FAULTS_SCALE'] ?? 1);

/** A number of messages or rounds, FAULTS_SCALE times as large. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * scale));
}

/** Bounds of time grow with the size of a run. */
export function scaledMs(ms: number): number {
  return ms * Math.max(1, scale);
}

/** Ends a row that hangs. It takes seconds, and many times that on a machine that has other things to do. */
export const rowTimeoutMs = scaledMs(400_000);

export interface Random {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
}

/** Mulberry32: small, and good enough to choose instants and sizes. */
export function createRandom(from = seed): Random {
  let state = from >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
  };
}
