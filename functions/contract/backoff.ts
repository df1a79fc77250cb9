// How long to wait before the next try.

/**
 * Full jitter: a random time between 0 and the exponential ceiling, so that many waiting parties spread out.
 *
 * | attempt (baseMs 100, capMs 30,000) | 0 | 1 | 2 | 3 | … | 8 | 9 and on |
 * | --- | --- | --- | --- | --- | --- | --- | --- |
 * | ceiling in ms | 100 | 200 | 400 | 800 | … | 25,600 | 30,000 |
 */
export function fullJitterMs(
  attempt: number,
  baseMs: number,
  capMs: number,
  random = Math.random,
): number {
  return Math.ceil(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30)));
}
