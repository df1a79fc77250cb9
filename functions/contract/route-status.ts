// What the bridge tells of a route: where it stands, what it does, and what was last wrong.
import * as z from 'zod';

/** Longest name of whoever changes a route, in characters. */
export const maxByLength = 512;

export const routeStateNames = [
  'active',
  'paused',
  'disabled',
  'unknown',
  'standby',
  'disconnected',
  'holding',
] as const;

const time = z.iso.datetime();

export const routeStatusSchema = z
  .object({
    name: z.string(),
    filter: z.string().describe('Topic filter of its subscription.'),
    handler: z
      .string()
      .describe('Host of its handler, with the port where it is not the usual one.'),
    state: z
      .enum(routeStateNames)
      .describe(
        '`active`: messages flow; `paused` by a person; `disabled`: the handler answered 410; `unknown`: whether it is paused cannot be read, so nothing is sent; `standby`: another bridge has its sessions; `disconnected` from the broker; `holding`: the handler takes no messages now.',
      ),
    reason: z.string().optional().describe('Why, where that is known.'),
    since: time.optional().describe('When it was paused, resumed or disabled.'),
    by: z.string().optional().describe('Who paused or resumed it last.'),
    sessions: z
      .array(
        z.object({
          state: z.enum([
            'connecting',
            'active',
            'disconnected',
            'subscription refused',
            'standby',
          ]),
          reason: z.string().optional(),
        }),
      )
      .describe('One for each of its connections to the broker.'),
    unsettledMessages: z
      .int()
      .min(0)
      .describe(
        'Messages taken from the broker and not acknowledged; the backlog behind them is at the broker.',
      ),
    backlogMessages: z
      .int()
      .min(0)
      .optional()
      .describe(
        'Messages that the broker keeps for the route, `unsettledMessages` among them; only where the broker tells it, as the embedded one does.',
      ),
    requestsInFlight: z.int().min(0),
    concurrencyLimit: z.int().min(1).describe('Requests that may be in flight now (adaptive).'),
    deliveredPerSecond: z.number().min(0).describe('Messages delivered, over the last minute.'),
    receivedMessages: z.int().min(0).describe('Since the bridge started, as all that follow.'),
    deliveredMessages: z.int().min(0),
    retriedMessages: z.int().min(0).describe('Messages sent again after a failure.'),
    quarantinedMessages: z.int().min(0),
    lastError: z
      .object({
        at: time,
        status: z.int().optional().describe('HTTP status; absent where there was no answer.'),
        reason: z.string(),
      })
      .optional()
      .describe('What was last wrong with the handler or with a message.'),
  })
  .meta({ id: 'Route', description: 'A route of the bridge: a topic filter and its handler.' });

export type RouteStatus = z.output<typeof routeStatusSchema>;

/** The bridge's answer to `GET /routes`. */
export const routesAnswerSchema = z.object({ routes: z.array(routeStatusSchema) });

/** Body of the bridge's `POST /routes/pause` and `POST /routes/resume`. */
export const routeChangeSchema = z.strictObject({
  name: z.string().min(1).max(40),
  /** Who wants it. */
  by: z.string().min(1).max(maxByLength).optional(),
});
