// The limits of callers: each setting once, for causeway.config.ts and for the function that keeps them.
import * as z from 'zod';

const perSecond = z.int().min(1).max(100_000);

export const limitFields = {
  callerRequestsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Maximum requests a second of one caller to one instance of the api function'),
  callerCommandsPerSecond: perSecond
    .default(100)
    .describe(
      'Maximum commands a second of one caller, over all instances; ten seconds of them can come at once. In a bulk each counts, and every 4 KB as one more',
    ),
  callerReadUnitsPerSecond: perSecond
    .default(500)
    .describe(
      'Maximum DynamoDB read units a second of one caller, over all instances; a page of the newest 100 messages of a topic takes up to 60, of messages stored as items 5',
    ),
  callerWaitingRequests: z
    .int()
    .min(3)
    .max(10_000)
    .default(3)
    .describe(
      'Maximum requests of one caller that wait for broker, device or bridge at a time; a command above it is answered with 202 at once',
    ),
  waitingRequests: z
    .int()
    .min(3)
    .max(10_000)
    .default(4)
    .describe(
      'The same of all callers together: each holds an instance, and a new AWS account has 10 for api and ingest',
    ),
};

export const limitsSchema = z.strictObject(limitFields);

export type Limits = z.output<typeof limitsSchema>;

/** The limits among other settings. */
export function limitsOf(settings: Limits): Limits {
  return z.object(limitFields).parse(settings);
}
