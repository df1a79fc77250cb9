// The bridge's one JSON document: its schema, defaults and limits. Every problem in it is listed at once.
import * as z from 'zod';
import { type Parsed, parseWith } from '../functions/contract/parse.ts';
import { brokerSchema } from './broker/config.ts';
import { profileFaults, withProfile } from './profiles/settings.ts';
import { routeSchema } from './route-config.ts';

export { brokerProtocols } from './broker/config.ts';

export const bridgeConfigSchema = z.strictObject({
  broker: brokerSchema,
  http: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('Address to listen on'),
      port: z.int().min(0).max(65_535).default(9100).describe('Port; 0 takes a free one'),
      token: z
        .string()
        .min(16)
        .optional()
        .describe('Bearer token of /deliver, /dead-letters and /routes; without it they are off'),
    })
    .prefault({}),
  routes: z
    .array(routeSchema)
    .min(1)
    .max(100)
    .superRefine((routes, context) => {
      for (const [index, route] of routes.entries()) {
        const twin = routes.findIndex((other) => other.name === route.name);
        if (twin < index) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: `is also the name of routes.${twin}`,
          });
        }
      }
    }),
  quarantineTable: z
    .string()
    .min(3)
    .optional()
    .describe('DynamoDB table that keeps rejected messages; without it `quarantineFolder` does'),
  quarantineFolder: z
    .string()
    .min(1)
    .default('quarantine')
    .describe('Folder for rejected messages'),
  traceRetentionDays: z
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe('Days that traces of messages that had trouble are kept, in `quarantineTable`'),
  commandTable: z
    .string()
    .min(3)
    .optional()
    .describe(
      'DynamoDB table of the ledger and the queue of commands; without it no commands are sent and POST /deliver is off',
    ),
  commands: z
    .strictObject({
      window: z
        .int()
        .min(1)
        .max(65_535)
        .default(100)
        .describe("Most unacknowledged publishes; a broker's smaller receive maximum goes before"),
      pollSeconds: z
        .int()
        .min(1)
        .max(3600)
        .default(10)
        .describe('How often the queue is looked at without being woken'),
      ackTimeoutMs: z
        .int()
        .min(100)
        .max(120_000)
        .default(10_000)
        .describe("Time for the broker's acknowledgement; after it the connection is made anew"),
    })
    .prefault({}),
  replayTable: z
    .string()
    .min(3)
    .optional()
    .describe(
      'DynamoDB table of replays and of the messages that are replayed; without it there are none',
    ),
  replays: z
    .strictObject({
      writeShards: z
        .int()
        .min(1)
        .max(32)
        .default(1)
        .describe('Partitions of a topic in that table, as ingest writes them'),
      pollSeconds: z
        .int()
        .min(1)
        .max(3600)
        .default(10)
        .describe('How often replays are looked for without being woken'),
    })
    .prefault({}),
  leaseTable: z
    .string()
    .min(3)
    .optional()
    .describe(
      'DynamoDB table of leases, so that several bridges can share this config; without it there is one',
    ),
  leaseSeconds: z
    .int()
    .min(2)
    .max(600)
    .default(15)
    .describe('Time after which a dead bridge is succeeded'),
  drainTimeoutMs: z.int().min(0).max(110_000).default(10_000).describe('Time for a clean stop'),
});

export type BridgeConfigInput = z.input<typeof bridgeConfigSchema>;
export type BridgeConfig = z.output<typeof bridgeConfigSchema>;
export type BrokerConfig = BridgeConfig['broker'];
export type CommandsConfig = BridgeConfig['commands'];
export type RouteConfig = BridgeConfig['routes'][number];

/** Checks a config document given as a value. */
export function parseConfig(document: unknown): Parsed<BridgeConfig> {
  const parsed = parseWith(bridgeConfigSchema, withProfile(document));
  if (!parsed.ok) return parsed;
  const faults = profileFaults(parsed.value);
  return faults.length === 0 ? parsed : { ok: false, faults };
}

/** A broker URL without user name and password, fit for logs and for the `source` of envelopes. */
export function publicUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
