// The settings of the embedded broker: their meaning, units, ranges and defaults, from one schema.
import * as z from 'zod';
import { type Parsed, parseWith } from '../../../functions/contract/parse.ts';

const port = z
  .int('must be a port number from 0 to 65535')
  .min(0, 'must be a port number from 0 to 65535')
  .max(65_535, 'must be a port number from 0 to 65535');

const count = (min: number, max: number) => {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z.int(rule).min(min, rule).max(max, rule);
};

const file = z.string('must name a file').min(1, 'must name a file');

const address = z.string().min(1);
const ownHost = address.optional().describe('address to listen on here, instead of host');

export const limitsSchema = z.strictObject({
  maxPacketBytes: count(1024, 268_435_455)
    .default(1024 * 1024)
    .describe('largest packet from a client, in bytes'),
  maxPartialPacketsBytes: count(1024, 1024 ** 4)
    .default(64 * 1024 * 1024)
    .describe(
      'bytes of packets that have not come whole, of all clients together; above it, and above one packet, those that began first are closed',
    ),
  maxConnections: count(1, 100_000).default(10_000).describe('connections at once'),
  maxConnectionsPerAddress: count(1, 100_000)
    .default(5000)
    .describe('connections at once from one IP address'),
  maxConnectionsPerUser: count(1, 100_000)
    .default(5000)
    .describe('connections at once of one user, where there are users; anonymous clients are one'),
  connectTimeoutMs: count(100, 300_000)
    .default(10_000)
    .describe('time for TLS, the WebSocket upgrade, CONNECT and the answer to it, each, in ms'),
  stalledTimeoutMs: count(100, 3_600_000)
    .default(60_000)
    .describe('a client that does not read for so long is closed, in ms'),
  maxBufferedBytes: count(1024, 64 * 1024 * 1024)
    .default(256 * 1024)
    .describe(
      'bytes written ahead of a client that does not read; then QoS 1 and 2 wait in the queue',
    ),
  maxKeepAliveSeconds: count(1, 65_535)
    .default(65_535)
    .describe(
      'longest keep-alive of MQTT 5 clients, in s; below 65535, also for those that want none',
    ),
  maxClientIdBytes: count(23, 65_535).default(256).describe('longest client id in UTF-8 bytes'),
  maxTopicLevels: count(1, 100).default(32).describe('levels of a topic or filter'),
  maxSubscriptions: count(1, 100_000).default(1000).describe('subscriptions of one client'),
  maxInflight: count(1, 65_535)
    .default(10_000)
    .describe('QoS 1 and 2 messages sent to one client and not acknowledged'),
  maxIncomingInflight: count(1, 65_535)
    .default(1000)
    .describe('QoS 2 messages from one client that wait for PUBREL'),
  maxQueuedMessages: count(1, 10_000_000)
    .default(100_000)
    .describe(
      'QoS 1 and 2 messages kept for one client; newer ones are dropped, or wait where the client is the bridge of npm start',
    ),
  maxHeldBytes: count(1024, 1024 ** 4)
    .default(64 * 1024 * 1024)
    .describe(
      'bytes of messages that wait for room in the queue of that bridge, of all publishers together; above it, those who wait are not read, and above twice of it, the first message of any other is refused',
    ),
  maxQueuedBytes: count(1024, 1024 ** 4)
    .default(64 * 1024 * 1024)
    .describe('their bytes, where the session is kept (on disk)'),
  maxMemoryQueueBytes: count(1024, 1024 ** 4)
    .default(32 * 1024 * 1024)
    .describe(
      'their bytes, where the session is clean (in memory); and those of QoS 0, newer ones are dropped',
    ),
  maxMemoryQueuesBytes: count(1024, 1024 ** 4)
    .default(256 * 1024 * 1024)
    .describe('the same for all clients together'),
  maxMemoryQueuesBytesPerUser: count(1024, 1024 ** 4)
    .default(64 * 1024 * 1024)
    .describe('the same for all clients of one user, where there are users'),
  maxQueuedBytesPerUser: count(1024, 1024 ** 4)
    .default(1024 ** 3)
    .describe('bytes on disk for all kept sessions of one user, where there are users'),
  maxSessions: count(1, 1_000_000).default(10_000).describe('kept sessions'),
  maxSessionsPerUser: count(1, 1_000_000)
    .default(2000)
    .describe('kept sessions of one user, where there are users; anonymous clients are one'),
  sessionExpirySeconds: count(1, 10 * 365 * 86_400)
    .default(7 * 86_400)
    .describe('a kept session ends when its client has been away for so long, in s'),
  maxRetainedMessages: count(0, 1_000_000).default(10_000).describe('retained messages'),
  maxRetainedBytes: count(0, 1024 ** 3)
    .default(64 * 1024 * 1024)
    .describe('their bytes (in memory and on disk)'),
  maxRetainedMessagesPerUser: count(0, 1_000_000)
    .default(2000)
    .describe(
      'retained messages of one user, where there are users, and of what the API publishes',
    ),
  maxRetainedBytesPerUser: count(0, 1024 ** 3)
    .default(16 * 1024 * 1024)
    .describe('their bytes'),
  maxPasswordChecks: count(1, 100_000)
    .default(2000)
    .describe(
      'logins waiting for their password check, taken in turn by address; more are refused as unavailable',
    ),
  maxLoginFailuresPerUser: count(1, 100_000)
    .default(10)
    .describe(
      'wrong passwords in a minute for one user name from one address (IPv6: its /64); over it, logins are refused as unavailable, but for passwords that were right within ten minutes',
    ),
  maxLoginFailuresPerAddress: count(1, 100_000)
    .default(50)
    .describe(
      'the same for all user names from one address; names that have got in from there before are let be',
    ),
});

export const settingsSchema = z
  .strictObject({
    host: address.default('127.0.0.1').describe('address to listen on'),
    port: port
      .nullable()
      .default(1883)
      .describe('port for plain TCP; 0 takes a free one, null none'),
    backlog: count(1, 65_535)
      .default(2000)
      .describe(
        'connections that the system may hold until they are accepted (net.core.somaxconn caps it)',
      ),
    folder: z
      .string()
      .min(1)
      .default('.causeway/broker')
      .describe('folder for sessions, queued and retained messages, closed to other users'),
    syncWrites: z
      .boolean('must be true or false')
      .default(false)
      .describe('what is acknowledged survives a power cut too, for much of the speed'),
    usersFile: file
      .optional()
      .describe('JSON file of users, hashes and topic rights; read again when it changes'),
    anonymous: z
      .enum(['loopback', 'never'], 'must be loopback or never')
      .default('loopback')
      .describe(
        'who may connect without a user name; never, where a proxy on this machine lets others in',
      ),
    tls: z
      .strictObject({
        port: port.default(8883).describe('port for TLS'),
        host: ownHost,
        certFile: file.describe(
          'PEM file of the certificate and its chain; read again with the key',
        ),
        keyFile: file.describe('PEM file of its private key; read again when it changes'),
        clientCaFile: file
          .optional()
          .describe('PEM file; clients must have a certificate from this authority'),
      })
      .optional(),
    websocket: z
      .strictObject({
        port: port.default(9001).describe('port for WebSocket'),
        host: ownHost,
        path: z.string().startsWith('/').default('/mqtt').describe('path of the URL'),
        tls: z
          .boolean('must be true or false')
          .default(false)
          .describe('wss, with the certificate of tls'),
        origins: z
          .array(z.url())
          .default([])
          .describe('web pages that may connect, as https://host; others than browsers always may'),
      })
      .optional(),
    limits: limitsSchema.prefault({}),
  })
  .superRefine(({ port, tls, websocket }, context) => {
    if (websocket?.tls && tls === undefined)
      context.addIssue({ code: 'custom', path: ['websocket', 'tls'], message: 'needs tls' });
    if (port === null && tls === undefined && websocket === undefined)
      context.addIssue({ code: 'custom', path: ['port'], message: 'leaves no port to listen on' });
  });

export type BrokerSettings = z.output<typeof settingsSchema>;
export type BrokerSettingsInput = z.input<typeof settingsSchema>;

export function parseBrokerSettings(input: unknown): Parsed<BrokerSettings> {
  return parseWith(settingsSchema, input);
}
