// What the bridge remembers of a route: its numbers over a day, its last requests, and the states that it has had.
import * as z from 'zod';
import { routeStateNames } from './route-status.ts';
import { traceAttemptSchema } from './trace.ts';

/** The shortest step of a series, in seconds; all are multiples of it. */
export const shortStepSeconds = 10;
/** From this step on all of a day is there; shorter ones are kept for an hour. */
export const longStepSeconds = 60;
export const shortStepsKeptSeconds = 3600;
export const longStepsKeptSeconds = 86_400;
/** Maximum points of one answer. */
export const maxPoints = 1440;

/** Attempts of a route that are remembered. */
export const maxAttempts = 100;
/** States of a route that are remembered, for a day at most. */
export const maxStates = 500;
/** Changes of all routes that are told at once. */
export const maxChanges = 1000;

const count = z.int().min(0);
const latency = z.number().min(0).optional();

export const seriesPointSchema = z
  .object({
    at: z.iso.datetime().describe('Start of the step.'),
    received: count.describe('Messages taken from the broker in the step.'),
    delivered: count.describe('Messages that the handler took.'),
    retried: count.describe('Messages sent again after a failure.'),
    quarantined: count.describe('Messages that became dead letters.'),
    unsettledMessages: count.describe('At the end of the step, as the next four.'),
    backlogMessages: count
      .optional()
      .describe('Messages that the broker keeps for the route; only where the broker tells it.'),
    requestsInFlight: count,
    concurrencyLimit: count,
    batchMessages: z
      .number()
      .min(0)
      .optional()
      .describe('Messages in a request on average; absent where no request ended, as the next.'),
    p50Ms: latency.describe(
      'Half of the requests took no longer. In steps of more than a minute, that of their slowest minute, as the next two.',
    ),
    p95Ms: latency,
    p99Ms: latency,
  })
  .meta({ id: 'RoutePoint', description: 'What a route did in a step of time.' });

export const routeSeriesSchema = z
  .object({
    route: z.string(),
    stepSeconds: z.int().min(1),
    since: z.iso.datetime().describe('When the first of the bridges that answer began to count.'),
    points: z
      .array(seriesPointSchema)
      .describe('The oldest first. Steps in which the bridge did not run have none.'),
  })
  .meta({ id: 'RouteSeries', description: 'What a route did over time.' });

export const routeAttemptSchema = traceAttemptSchema
  .extend({
    topic: z.string().describe('Topic of its first message.'),
    messageId: z.string().describe('Id of its first message.'),
  })
  .meta({ id: 'RouteAttempt', description: 'A request to the handler of a route.' });

export const routeAttemptsSchema = z.object({ attempts: z.array(routeAttemptSchema) });

export const routeStateChangeSchema = z
  .object({
    at: z.iso.datetime().describe('When it was seen; the bridge looks once a second.'),
    state: z.enum(routeStateNames),
    before: z
      .enum(routeStateNames)
      .optional()
      .describe('The state before; absent at the first look after a start.'),
    reason: z.string().optional(),
    by: z.string().optional().describe('Who paused or resumed it.'),
  })
  .meta({ id: 'RouteStateChange', description: 'A state that a route came to.' });

export const routeStatesSchema = z.object({ states: z.array(routeStateChangeSchema) });

export const routeChangesSchema = z.object({
  changes: z.array(routeStateChangeSchema.extend({ route: z.string() })),
});

/** Body of the bridge's `POST /routes/series`. */
export const routeSeriesRequestSchema = z.strictObject({
  name: z.string().min(1).max(40),
  fromMs: z.number(),
  toMs: z.number(),
  stepSeconds: z.int().min(shortStepSeconds),
});

/** Body of the bridge's `POST /routes/attempts` and `/routes/states`. */
export const routeNameRequestSchema = z.strictObject({ name: z.string().min(1).max(40) });

export type SeriesPoint = z.output<typeof seriesPointSchema>;
export type RouteSeries = z.output<typeof routeSeriesSchema>;
export type RouteAttempt = z.output<typeof routeAttemptSchema>;
export type RouteStateChange = z.output<typeof routeStateChangeSchema>;
export type RouteChanged = z.output<typeof routeChangesSchema>['changes'][number];
export type RouteSeriesRequest = z.output<typeof routeSeriesRequestSchema>;
