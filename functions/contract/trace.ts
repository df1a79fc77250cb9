// The trace of a message that had trouble on its way to a handler: every try of a route with what came of it. The
// bridge writes it when the message is settled, and tells it while it is not; the api answers with it.
import * as z from 'zod';

/** How the handler took one request that the message was in. */
export const traceAttemptSchema = z.object({
  /** When it was sent; RFC 3339. */
  at: z.string(),
  latencyMs: z.number(),
  /** Status of the answer; absent where there was none. */
  status: z.number().optional(),
  verdict: z.enum(['delivered', 'failed', 'held', 'rejected', 'gone']),
  /** Why, where it was not delivered. */
  reason: z.string().optional(),
  /** Messages in the request. */
  messages: z.number(),
});

export const traceSchema = z.object({
  route: z.string(),
  topic: z.string(),
  /** When the bridge received the message; RFC 3339. */
  time: z.string(),
  /** The replay that it was sent by; absent where the route itself did. */
  replayId: z.string().optional(),
  /** `waiting`: the bridge has it, and tries again. `filtered`: the route's `where` dropped it. `refused`: the handler would not take it from the replay. */
  state: z.enum(['waiting', 'delivered', 'filtered', 'quarantined', 'refused']),
  settledAt: z.string().optional(),
  /** How often it was tried; of many tries only the first and the last are told. */
  tries: z.number(),
  attempts: z.array(traceAttemptSchema),
});

/** The bridge's answer to `POST /traces`. */
export const tracesAnswerSchema = z.strictObject({ traces: z.array(traceSchema) });

export type TraceAttempt = z.output<typeof traceAttemptSchema>;
export type Trace = z.output<typeof traceSchema>;
