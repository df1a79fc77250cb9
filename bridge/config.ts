// The bridge's one JSON document: its schema, defaults and limits. Every problem in it is listed at once.
import * as z from 'zod';
import { type Parsed, parseWith, urlWith } from '../functions/contract/parse.ts';
import { filterFault } from '../functions/contract/topic.ts';

/** Protocols of a broker's URL. */
export const brokerProtocols = ['mqtt:', 'mqtts:', 'ws:', 'wss:'] as const;

const name = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, - or _');

const brokerSchema = z.strictObject({
  url: urlWith(...brokerProtocols).describe('Broker address: mqtt, mqtts, ws or wss'),
  clientIdPrefix: name
    .default('causeway')
    .describe('Client ids are `<prefix>-<route>-<connection>`'),
  protocolVersion: z
    .literal([4, 5], 'must be 5 or 4 (MQTT 3.1.1)')
    .default(5)
    .describe('Tried first; the bridge falls back to 4 by itself where the broker has no 5'),
  username: z.string().optional().describe('User name'),
  password: z.string().optional().describe('Password'),
  keepaliveSeconds: z.int().min(5).max(3600).default(30).describe('MQTT keep-alive'),
  connectTimeoutMs: z.int().min(100).max(120_000).default(10_000).describe('Time until CONNACK'),
  sessionExpirySeconds: z
    .int()
    .min(60)
    .max(0xffff_ffff)
    .default(7 * 86_400)
    .describe(
      'How long the broker keeps a session, and so the backlog, of a bridge that is away (MQTT 5)',
    ),
});

const routeSchema = z.strictObject({
  name: name.describe(
    'Name of the route; part of the client id, so renaming it starts a new session',
  ),
  filter: z
    .string()
    .superRefine((filter, context) => {
      const fault = filterFault(filter);
      if (fault !== undefined) context.addIssue(fault);
    })
    .describe('MQTT topic filter'),
  url: urlWith('http:', 'https:').describe('Handler that gets the batches'),
  qos: z
    .literal([0, 1], 'must be 0 or 1: one acknowledgement path, QoS 2 arrives as 1')
    .default(1)
    .describe('QoS of the subscription'),
  format: z
    .literal('cloudevents-batch')
    .default('cloudevents-batch')
    .describe('Form of the request body'),
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and the base64 of 24 to 64 bytes')
    .optional()
    .describe('Standard Webhooks secret that signs every request'),
  maxBatch: z.int().min(1).max(10_000).default(500).describe('Most messages in one request'),
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
});

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
        .describe('Bearer token for POST /deliver; without it commands are off'),
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
export type RouteConfig = BridgeConfig['routes'][number];

/** Checks a config document given as a value. */
export function parseConfig(document: unknown): Parsed<BridgeConfig> {
  return parseWith(bridgeConfigSchema, document);
}

/** A broker URL without user name and password, fit for logs and for the `source` of envelopes. */
export function publicUrl(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
