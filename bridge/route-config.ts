// The config's `routes`: which messages go to which handler, and how many at once.
import * as z from 'zod';
import { filterFault } from '../functions/contract/topic.ts';
import { name } from './config-names.ts';
import { credentialFields, handlerFaults, handlerFields } from './handler/config.ts';
import { maxRetryAfterMs } from './handler/verdict.ts';

export const routeFields = z.strictObject({
  name: name.describe(
    'Name of the route; part of the client id, so renaming it starts a new session',
  ),
  filter: z
    .string()
    .superRefine((filter, context) => {
      // The bridge makes it one itself where it needs to, and a second $share around it would match nothing.
      const shared = 'must not be a shared subscription ($share): see `connections`';
      const fault = filter.startsWith('$share/') ? shared : filterFault(filter);
      if (fault !== undefined) context.addIssue(fault);
    })
    .describe('MQTT topic filter'),
  ...handlerFields,
  ...credentialFields,
  qos: z
    .literal([0, 1], 'must be 0 or 1: one acknowledgement path, QoS 2 arrives as 1')
    .default(1)
    .describe('QoS of the subscription'),
  maxBatch: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Most messages in one request; 500 by default, 1 in formats that carry one'),
  maxBatchBytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .describe('Largest request body in bytes; Lambda takes 6 MB'),
  lingerMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(5)
    .describe('How long a message waits for others to share its request'),
  concurrency: z.int().min(1).max(256).default(4).describe('Most requests in flight'),
  timeoutMs: z.int().min(100).max(900_000).default(30_000).describe('Time for a whole answer'),
  // Twice what is in flight by default (500 × 4): while one half is at the handler, the other fills batches.
  window: z
    .int()
    .min(1)
    .max(65_535)
    .default(4000)
    .describe('Most unacknowledged messages; the receive maximum of the session'),
  maxWindowBytes: z
    .int()
    .min(1024 * 1024)
    .max(1024 * 1024 * 1024)
    .default(32 * 1024 * 1024)
    .describe('Most bytes of unacknowledged messages'),
  connections: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      'Connections that share the subscription; more than one costs the order between them',
    ),
  retry: z
    .strictObject({
      baseMs: z
        .int()
        .min(1)
        .max(60_000)
        .default(100)
        .describe(
          'Ceiling of the first wait; it doubles with each failure, and each wait is random below it',
        ),
      capMs: z.int().min(1).max(3_600_000).default(30_000).describe('Highest ceiling of a wait'),
      maxRetryAfterMs: z
        .int()
        .min(0)
        .max(maxRetryAfterMs)
        .default(300_000)
        .describe('Longest wait that the handler can ask for with Retry-After'),
    })
    .prefault({}),
  rejectTries: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe(
      'Times that a message is refused with 4xx before it goes to the quarantine; 413 once',
    ),
  failingMessage: z
    .strictObject({
      tries: z
        .int()
        .min(2)
        .max(1000)
        .default(5)
        .describe(
          'Failures of a message, with successes of others in between, before it goes to the quarantine',
        ),
      afterSeconds: z
        .int()
        .min(0)
        .max(30 * 86_400)
        .default(60)
        .describe('And not before it has failed for so long'),
    })
    .prefault({}),
});

/** Where a request carries several. */
export const defaultMaxBatch = 500;

/** Ways to show who sends a request; of each group there is one at most. A signature may stand beside a credential. */
const exclusive = [
  ['auth', 'secretName', 'secret'],
  ['auth', 'bearerSecret', 'bearerToken', 'basicSecret', 'basic'],
] as const;

export const routeSchema = routeFields
  .superRefine((route, context) => {
    for (const group of exclusive) {
      const [first, ...others] = group.filter((field) => route[field] !== undefined);
      for (const field of others)
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `must not stand beside ${first}`,
        });
    }
    for (const [field, message] of handlerFaults(route, route.maxBatch))
      context.addIssue({ code: 'custom', path: [field], message });
  })
  .transform(({ maxBatch, ...route }) => ({
    ...route,
    maxBatch: maxBatch ?? (route.format === 'cloudevents-batch' ? defaultMaxBatch : 1),
  }));
