// The throttle of a route of an HTTP API: a bucket of tokens, which is full at first.
import * as z from 'zod';

export const throttleSchema = z.strictObject({
  /** Requests a second. */
  ThrottlingRateLimit: z.number(),
  /** Requests at once. */
  ThrottlingBurstLimit: z.int(),
});

export interface Throttle {
  /** Whether a request may pass. */
  take(): boolean;
}

export function newThrottle({
  ThrottlingRateLimit: perSecond,
  ThrottlingBurstLimit: burst,
}: z.output<typeof throttleSchema>): Throttle {
  let tokens = burst;
  let atMs = performance.now();
  return {
    take() {
      const nowMs = performance.now();
      tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1000) * perSecond);
      atMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
