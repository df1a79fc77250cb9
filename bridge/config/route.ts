// The config's `routes`: which messages go to which handler, and how many at once.
import * as z from 'zod';
import { addFaults } from '../../functions/contract/parse.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import { filterFault } from '../../functions/contract/topic.ts';
import { expressionText } from '../../functions/expression/check.ts';
import { credentialFields, handlerFaults, handlerFields } from './handler.ts';
import { name } from './names.ts';

/** Longest wait that a Retry-After can ask for; a route allows less (`retry.maxRetryAfterMs`). */
export const maxRetryAfterMs = 60 * 60_000;

/** Twice what is in flight by default (500 × 4): while one half is at the handler, the other fills batches. */
export const defaultWindow = 4000;

export const routeFields = z.strictObject({
  name: name.describe(
    'Name of the route; part of the client id, so another name is another session; with the same filter and handler it delivers what the old one holds',
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
  ingest: z
    .boolean()
    .default(false)
    .describe(
      "The handler is Causeway's own ingest: an empty batch asks it whether it can store, where no other message tells",
    ),
  where: expressionText
    .optional()
    .describe(
      'JSONata: only messages for which it is `true` go to the handler; the others are acknowledged and counted',
    ),
  transform: expressionText
    .optional()
    .describe(
      'JSONata: its value goes to the handler in place of the payload, text as it is and anything else as JSON',
    ),
  qos: z
    .literal([0, 1], 'must be 0 or 1: one acknowledgement path, QoS 2 arrives as 1')
    .default(1)
    .describe('QoS of the subscription'),
  maxBatch: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Maximum messages in one request; 500 by default, 1 in formats that carry one'),
  maxBatchBytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(4 * 1024 * 1024)
    .describe('Maximum bytes of a request body; Lambda takes 6 MB'),
  lingerMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(5)
    .describe(
      "How long a message waits for others to share its request; not while no others can come, as a window, ours or the broker's, is full",
    ),
  maxLingerMs: z
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe(
      'Where 50 messages a second come or more: how long one waits at most, until about 100 are there; as `lingerMs` by default',
    ),
  concurrency: z.int().min(1).max(256).default(4).describe('Maximum requests in flight'),
  timeoutMs: z.int().min(100).max(900_000).default(30_000).describe('Time for a whole answer'),
  window: z
    .int()
    .min(1)
    .max(65_535)
    .default(defaultWindow)
    .describe(
      'Maximum unacknowledged messages, and so the Receive Maximum of the session; no more than the broker allows by default',
    ),
  maxWindowBytes: z
    .int()
    .min(1024 * 1024)
    .max(1024 * 1024 * 1024)
    .default(32 * 1024 * 1024)
    .describe('Maximum bytes of unacknowledged messages'),
  // AWS IoT Core carries 100 messages a second on each ("Message broker and protocol limits"): 256 are 25,600.
  connections: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe(
      'Connections that share the subscription; more than one costs the order between them',
    ),
  shareGroup: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
    .optional()
    .describe(
      'Group of the shared subscription: deployments with the same one, and client id prefixes of their own, share the messages; by default `<clientIdPrefix>-<name>`, and none with one connection',
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
      capMs: z.int().min(1).max(3_600_000).default(30_000).describe('Maximum ceiling of a wait'),
      maxRetryAfterMs: z
        .int()
        .min(0)
        .max(maxRetryAfterMs)
        .default(300_000)
        .describe('Maximum wait that the handler can ask for with Retry-After'),
    })
    .prefault({}),
  rejectTries: z
    .int()
    .min(1)
    .max(100)
    .default(1)
    .describe('Times that a message is refused with 4xx before it becomes a dead letter; 413 once'),
  failingMessage: z
    .strictObject({
      tries: z
        .int()
        .min(2)
        .max(1000)
        .default(5)
        .describe(
          'Failures of a message, with successes of others in between, before it becomes a dead letter',
        ),
      afterSeconds: z
        .int()
        .min(0)
        .max(30 * 86_400)
        .default(60)
        .describe('Minimum seconds since its first failure before it goes there'),
      aloneSeconds: z
        .int()
        .min(1)
        .max(30 * 86_400)
        .optional()
        .describe(
          'For brokers that send nothing more before all is acknowledged, and routes of one topic: a message that by itself got 500 for so long, or another 5xx that no gateway makes, becomes a dead letter though no other succeeds; off by default',
        ),
    })
    .prefault({}),
});

/** Where a request carries several. */
export const defaultMaxBatch = 500;

/** The group by which a route shares its subscription; undefined where it has it for itself. */
export function shareGroupOf(
  clientIdPrefix: string,
  route: {
    readonly name: string;
    readonly connections: number;
    readonly shareGroup?: string | undefined;
  },
): string | undefined {
  const { name, connections, shareGroup } = route;
  return shareGroup ?? (connections > 1 ? `${clientIdPrefix}-${name}` : undefined);
}

/** Two routes of one name would be two clients with one id. A route with faults of its own is absent. */
export function nameFaults(
  routes: readonly ({ readonly name: string } | undefined)[],
): FieldFault[] {
  return routes.flatMap((route, index) => {
    const twin = routes.findIndex((other) => other?.name === route?.name);
    return route === undefined || twin === index
      ? []
      : [{ field: `routes.${index}.name`, rule: `is also the name of routes.${twin}` }];
  });
}

/** The expressions of a route that stores, each of which breaks a rule. */
export function expressionFaults(
  route: { readonly where?: string | undefined; readonly transform?: string | undefined },
  rule: string,
): FieldFault[] {
  return (['where', 'transform'] as const)
    .filter((field) => route[field] !== undefined)
    .map((field) => ({ field, rule: `${rule}: what is stored is what devices sent` }));
}

/** What is wrong between the two lingers of a route. */
export function lingerFaults({
  lingerMs,
  maxLingerMs = lingerMs,
}: {
  readonly lingerMs: number;
  readonly maxLingerMs?: number | undefined;
}): FieldFault[] {
  return maxLingerMs < lingerMs
    ? [{ field: 'maxLingerMs', rule: 'must be at least as long as lingerMs' }]
    : [];
}

export const routeSchema = routeFields
  .superRefine((route, context) => {
    if (route.ingest && route.format !== 'cloudevents-batch')
      context.addIssue({
        code: 'custom',
        path: ['ingest'],
        message: 'must be false: ingest takes cloudevents-batch',
      });
    if (route.ingest && route.eventVersion === 2)
      context.addIssue({
        code: 'custom',
        path: ['eventVersion'],
        message: 'must be 1: ingest keeps payloads byte for byte',
      });
    if (route.ingest) addFaults(context, expressionFaults(route, 'must not stand beside ingest'));
    addFaults(context, handlerFaults(route, route.maxBatch, route.ingest));
    addFaults(context, lingerFaults(route));
  })
  .transform(({ maxBatch, maxLingerMs, eventVersion, ...route }) => ({
    ...route,
    maxLingerMs: maxLingerMs ?? route.lingerMs,
    eventVersion: eventVersion ?? (route.ingest ? 1 : 2),
    maxBatch: maxBatch ?? (route.format === 'cloudevents-batch' ? defaultMaxBatch : 1),
  }));
