// The trace of a message that had trouble on its way to a handler: every try of a route with what came of it. The
// bridge writes it when the message is settled, and tells it while it is not; the api answers with it.
import * as z from 'zod';
import { type Item, textAt } from './item.ts';

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
  /** `waiting`: the bridge has it, and tries again. */
  state: z.enum(['waiting', 'delivered', 'quarantined']),
  settledAt: z.string().optional(),
  /** How often it was tried; of many tries only the first and the last are told. */
  tries: z.number(),
  attempts: z.array(traceAttemptSchema),
});

/** The bridge's answer to `POST /traces`. */
export const tracesAnswerSchema = z.strictObject({ traces: z.array(traceSchema) });

export type TraceAttempt = z.output<typeof traceAttemptSchema>;
export type Trace = z.output<typeof traceSchema>;

/** Partition of the traces of a message, one for each route. An id has 256 bytes at most. */
export function tracePartition(messageId: string): string {
  return `trace/${messageId}`;
}

export function traceItem(messageId: string, trace: Trace, expiresAtSeconds: number): Item {
  return {
    pk: { S: tracePartition(messageId) },
    sk: { S: trace.route },
    trace: { S: JSON.stringify(trace) },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** The trace that an item stores. Throws where it is none: that is a bug or a foreign write. */
export function traceOf(item: Item): Trace {
  return traceSchema.parse(JSON.parse(textAt(item, 'trace')));
}
