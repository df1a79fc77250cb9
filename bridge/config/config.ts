// The bridge's one JSON document: its schema, defaults and limits. Every problem in it is listed at once.
import * as z from 'zod';
import { type Parsed, parseWith } from '../../functions/contract/parse.ts';
import { alertsSchema } from './alerts.ts';
import { brokerSchema } from './broker.ts';
import { deadLettersSchema } from './dead-letters.ts';
import { memoryFaults, memoryMiB } from './memory.ts';
import { brokerLimitFaults, profileFaults, withBrokerDefaults } from './profile-settings.ts';
import { nameFaults, routeSchema } from './route.ts';

export { brokerProtocols } from './broker.ts';

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
  routes: z.array(routeSchema).min(1).max(100),
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
  deadLetters: deadLettersSchema.prefault({}),
  alerts: alertsSchema.optional(),
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
        .describe(
          "Maximum unacknowledged publishes; a broker's smaller Receive Maximum goes before",
        ),
      pollSeconds: z
        .int()
        .min(1)
        .max(3600)
        .default(10)
        .describe(
          'How often the queue is looked at without being woken, where something may be in it',
        ),
      ackTimeoutMs: z
        .int()
        .min(100)
        .max(120_000)
        .default(10_000)
        .describe("Time for the broker's acknowledgement; after it the bridge connects again"),
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
        .describe('How often replays are looked for without being woken, where there may be one'),
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
  memoryMiB,
  endSessionsAfterSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(600)
    .describe(
      'How long the bridge has to be ready before it ends a session that the config no longer has; a config that is taken back finds it until then',
    ),
  drainTimeoutMs: z.int().min(0).max(110_000).default(10_000).describe('Time for a clean stop'),
});

export type BridgeConfigInput = z.input<typeof bridgeConfigSchema>;
export type BridgeConfig = z.output<typeof bridgeConfigSchema>;
export type BrokerConfig = BridgeConfig['broker'];
export type CommandsConfig = BridgeConfig['commands'];
export type RouteConfig = BridgeConfig['routes'][number];

/** Checks a config document given as a value. */
export function parseConfig(document: unknown): Parsed<BridgeConfig> {
  const parsed = parseWith(bridgeConfigSchema, withBrokerDefaults(document));
  if (!parsed.ok) return parsed;
  const faults = [
    ...nameFaults(parsed.value.routes),
    ...profileFaults(parsed.value),
    ...brokerLimitFaults(parsed.value),
    ...memoryFaults(parsed.value.memoryMiB, parsed.value.routes, 'memoryMiB'),
  ];
  return faults.length === 0 ? parsed : { ok: false, faults };
}

/** A broker URL without user name and password, fit for logs and for the `source` of envelopes. */
export function publicUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
