// A batch as the event of a Lambda function that is invoked without HTTP, and the function's answer. The batch itself is the
// event, as JSON in a JSON string would be longer and read twice.
import * as z from 'zod';

/** The event where a route's URL has a query, which an invocation does not bring. */
const queriedBatch = z.object({ query: z.string(), batch: z.array(z.unknown()) });

export interface InvokedBatch {
  readonly batch: readonly unknown[];
  readonly query: URLSearchParams;
}

/** The batch of an event; undefined for an event of another form, such as an HTTP request. */
export function invokedBatch(event: unknown): InvokedBatch | undefined {
  if (Array.isArray(event)) return { batch: event, query: new URLSearchParams() };
  const queried = queriedBatch.safeParse(event);
  if (!queried.success) return undefined;
  return { batch: queried.data.batch, query: new URLSearchParams(queried.data.query) };
}

/** The JSON of an event with this batch, which is JSON already. */
export function eventOfBatch(batch: Buffer, query: string): Buffer {
  if (query === '') return batch;
  return Buffer.concat([
    Buffer.from(`{"query":${JSON.stringify(query)},"batch":`),
    batch,
    Buffer.from('}'),
  ]);
}

/**
 * What a function returns that is meant as an HTTP answer, as a function URL takes it. Anything else is the body of a 200
 * ("Invoking Lambda function URLs", "Response payload format").
 */
export const httpAnswer = z.object({
  statusCode: z.int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().optional(),
});

export type HttpAnswer = z.output<typeof httpAnswer>;
