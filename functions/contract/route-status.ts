// What the bridge tells of a route: where it stands, what it does, and what was last wrong.
import * as z from 'zod';

/** Maximum length of the name of the person who changes a route, in characters. */
export const maxByLength = 512;

export const routeStateNames = [
  'active',
  'paused',
  'disabled',
  'unknown',
  'standby',
  'disconnected',
  'holding',
  'removed',
] as const;

const time = z.iso.datetime();

export const routeStatusSchema = z
  .object({
    name: z.string(),
    filter: z.string().describe('Topic filter of its subscription.'),
    handler: z
      .string()
      .describe(
        'Host of its handler, with the port where it is not the usual one; empty where the route is removed.',
      ),
    state: z
      .enum(routeStateNames)
      .describe(
        '`active`: messages flow; `paused` by a person; `disabled`: the handler answered 410; `unknown`: whether it is paused cannot be read, so nothing is sent; `standby`: another bridge has its sessions; `disconnected` from the broker; `holding`: the handler takes no messages now; `removed`: the config no longer has it, and its sessions at the broker have not ended yet.',
      ),
    reason: z.string().optional().describe('Why, where that is known.'),
    cure: z
      .string()
      .optional()
      .describe('What a person can do about it; absent while messages flow, and on standby.'),
    since: time.optional().describe('When it was paused, resumed or disabled.'),
    by: z.string().optional().describe('Who paused or resumed it last.'),
    holdingSince: time
      .optional()
      .describe('Since when the handler takes no messages, as the next two only while that is so.'),
    nextTryAt: time.optional().describe('When it is asked next; absent while it is being asked.'),
    tries: z.int().min(0).optional().describe('How often it has been asked in vain since.'),
    oldestWaitingAt: time
      .optional()
      .describe(
        'When the oldest message came that is not acknowledged to the broker, of those that the bridge has.',
      ),
    sessions: z
      .array(
        z.object({
          state: z.enum([
            'connecting',
            'active',
            'away',
            'disconnected',
            'subscription refused',
            'standby',
          ]),
          reason: z.string().optional(),
          orderBrokenUntil: z.iso
            .datetime({ precision: 6 })
            .optional()
            .describe(
              "The bridge's clock was set back by more than a minute: up to this time its messages are not in the order in which they came.",
            ),
        }),
      )
      .describe(
        'One for each of its connections to the broker. `away`: it has left, as the broker drops what is not acknowledged in time, and comes back when the handler takes messages.',
      ),
    warnings: z
      .array(z.string())
      .optional()
      .describe(
        'What somebody should know of its sessions: one that the broker has lost, or keeps for a shorter time than it was asked to, or that the config no longer has.',
      ),
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
    noisyTopic: z
      .object({
        topic: z.string().describe('Its first 256 characters.'),
        messages: z.int().min(0),
        bytes: z.int().min(0),
      })
      .optional()
      .describe(
        'The topic that has held half of the window for ten seconds or more, with what it holds now: MQTT acknowledges in order, so all others of the route wait behind it. A route of its own, with a filter that matches it alone, and filters of the other routes that do not, cures that.',
      ),
    requestsInFlight: z.int().min(0),
    concurrencyLimit: z.int().min(1).describe('Requests that may be in flight now (adaptive).'),
    deliveredPerSecond: z.number().min(0).describe('Messages delivered, over the last minute.'),
    receivedMessages: z.int().min(0).describe('Since the bridge started, as all that follow.'),
    deliveredMessages: z.int().min(0),
    retriedMessages: z.int().min(0).describe('Messages sent again after a failure.'),
    filteredMessages: z
      .int()
      .min(0)
      .optional()
      .describe('Messages that its `where` dropped; absent where it has none.'),
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
  .meta({
    id: 'RouteStatus',
    description: 'A route of the bridge: a topic filter and its handler.',
  });

export type RouteStatus = z.output<typeof routeStatusSchema>;

/** The bridge's answer to `GET /routes`. */
export const routesAnswerSchema = z.object({ routes: z.array(routeStatusSchema) });

/** What somebody may change of a route of the config. */
export type RouteChangeKind = 'pause' | 'resume' | 'retry';

/** Body of the bridge's `POST /routes/pause`, `/routes/resume`, `/routes/retry` and `/routes/end`. */
export const routeChangeSchema = z.strictObject({
  name: z.string().min(1).max(40),
  /** Who wants it. */
  by: z.string().min(1).max(maxByLength).optional(),
});
