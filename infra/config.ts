// The one config of a deployment: what the user sets in causeway.config.ts, with defaults and limits. `cdk` and
// `npm start` read it; secrets are in it by name only.
import * as z from 'zod';
import { oneNetBySecret } from '../bridge/broker/onenet-config.ts';
import { bridgeConfigSchema, brokerProtocols } from '../bridge/config.ts';
import { credentialFields, handlerFaults, handlerFields } from '../bridge/handler/config.ts';
import { profileOf } from '../bridge/profiles/profiles.ts';
import { withProfile } from '../bridge/profiles/settings.ts';
import { routeFields } from '../bridge/route-config.ts';
import { type Parsed, parseWith, urlWith } from '../functions/contract/parse.ts';
import { presenceSchema } from './presence-routes.ts';
import { batchAboveFunctionUrl, plainTextToPublicHost, unsafeSettings } from './unsafe-settings.ts';

const bridgeBroker = bridgeConfigSchema.shape.broker.shape;
const bridgeRoute = routeFields.shape;

const secretName = z
  .string()
  .regex(
    /^[A-Za-z0-9/_+=.@-]{1,500}$/,
    'must be the name of a secret in Secrets Manager: 1 to 500 letters, digits or /_+=.@-',
  );

/** What is no URL at all is another rule's to say: zod asks this one too. */
function holdsCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

const retentionDays = z
  .int()
  .min(1, 'must be at least 1: with 0, messages would be deleted as soon as they are stored')
  .max(3650);

const reservedConcurrency = z.int().min(1).max(1000).optional();

const brokerSchema = z
  .strictObject({
    url: urlWith(...brokerProtocols)
      .refine(
        (text) => !holdsCredentials(text),
        'must hold no user name and password: name a secret in broker.credentialsSecret',
      )
      .describe('Broker address: mqtts or wss; mqtt and ws where the host is private'),
    allowPlainText: z
      .boolean()
      .default(false)
      .describe(
        'Allow mqtt and ws to a public host: anybody on the way can read and change messages',
      ),
    profile: bridgeBroker.profile,
    auth: bridgeBroker.auth,
    region: bridgeBroker.region,
    clientIdPrefix: bridgeBroker.clientIdPrefix,
    clientIds: bridgeBroker.clientIds,
    protocolVersion: bridgeBroker.protocolVersion,
    keepaliveSeconds: bridgeBroker.keepaliveSeconds,
    connectTimeoutMs: bridgeBroker.connectTimeoutMs,
    sessionExpirySeconds: z
      .int()
      .min(
        60,
        'must be at least 60: with 0 the broker forgets the backlog as soon as the bridge is away',
      )
      .max(0xffff_ffff)
      .default(7 * 86_400)
      .describe('How long the broker keeps the backlog of a bridge that is away (MQTT 5)'),
    cleanSession: bridgeBroker.cleanSession,
    status: bridgeBroker.status,
    receiveMaximum: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Most unacknowledged messages that the broker allows a session'),
    maxClients: z
      .int()
      .min(1)
      .optional()
      .describe('Most client ids that the broker allows this account'),
    credentialsSecret: secretName
      .optional()
      .describe('Secret with the JSON `{"username": …, "password": …}`'),
    onenet: oneNetBySecret
      .optional()
      .describe("What China Mobile's OneNET is shown, instead of user name and password"),
    caSecret: secretName.optional().describe("Secret with the PEM of the broker's own CA"),
    clientCertificateSecret: secretName
      .optional()
      .describe('Secret with the JSON `{"certificate": …, "privateKey": …}`, both PEM'),
  })
  .superRefine(({ url, allowPlainText }, context) => {
    const rule = allowPlainText ? undefined : plainTextToPublicHost(url);
    if (rule !== undefined) context.addIssue({ code: 'custom', path: ['url'], message: rule });
  });

const handlerSchema = z
  .strictObject({
    ...handlerFields,
    url: handlerFields.url.describe(
      'Handler that gets the messages instead of the ingest function; where a request carries one message, levels of its topic can stand in path and query: `{1}`, `{2}` …, or `{topic}`',
    ),
    allowPrivate: handlerFields.allowPrivate.describe(
      'Allow a handler in a private network or on this machine, and http for its URL',
    ),
    secretName: credentialFields.secretName.describe(
      'Secret with the Standard Webhooks secret that signs every request, `whsec_…`; with several, as a JSON list or one a line, all sign: for a rotation',
    ),
    bearerSecret: credentialFields.bearerSecret.describe(
      'Secret with the token for `Authorization: Bearer`',
    ),
    basicSecret: credentialFields.basicSecret.describe(
      'Secret with the JSON `{"username": …, "password": …}` for `Authorization: Basic`',
    ),
  })
  .superRefine(({ url, allowPrivate, secretName, bearerSecret, basicSecret }, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (!allowPrivate && !/^https:/i.test(url))
      fault('url', 'must be a URL that starts with https://');
    if (bearerSecret !== undefined && basicSecret !== undefined)
      fault('basicSecret', 'must not stand beside bearerSecret');
    if ([secretName, bearerSecret, basicSecret].every((name) => name === undefined))
      fault('secretName', 'must be given, or bearerSecret or basicSecret: others could send too');
  });

const routeSchema = z
  .strictObject({
    name: bridgeRoute.name,
    filter: bridgeRoute.filter,
    handler: handlerSchema.optional().describe('Without it, messages are stored'),
    retentionDays: retentionDays
      .optional()
      .describe('As `retentionDays` below, for messages of this route'),
    qos: bridgeRoute.qos,
    maxBatch: bridgeRoute.maxBatch,
    maxBatchBytes: bridgeRoute.maxBatchBytes,
    lingerMs: bridgeRoute.lingerMs,
    concurrency: bridgeRoute.concurrency,
    timeoutMs: bridgeRoute.timeoutMs,
    window: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Most unacknowledged messages; 4000, or what the broker allows, by default'),
    maxWindowBytes: bridgeRoute.maxWindowBytes,
    connections: bridgeRoute.connections,
    retry: bridgeRoute.retry,
    rejectTries: bridgeRoute.rejectTries,
    failingMessage: bridgeRoute.failingMessage,
  })
  .superRefine(({ handler, maxBatch, maxBatchBytes }, context) => {
    const rule = handler === undefined ? batchAboveFunctionUrl(maxBatchBytes) : undefined;
    if (rule !== undefined)
      context.addIssue({ code: 'custom', path: ['maxBatchBytes'], message: rule });
    for (const [field, message] of handler === undefined ? [] : handlerFaults(handler, maxBatch))
      context.addIssue({
        code: 'custom',
        path: field === 'maxBatch' ? [field] : ['handler', field],
        message,
      });
  });

const apiSchema = z.strictObject({
  corsOrigins: z
    .array(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && new URL(text).origin === text,
          'must be an origin, such as https://app.example.com',
        ),
    )
    .max(20)
    .default([])
    .describe('Web pages that may call the API; none by default'),
  requestsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe(
      'Most requests a second over all callers, held by API Gateway; twice that for a moment',
    ),
  callerRequestsPerSecond: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Most requests a second of one caller to one instance of the function'),
  replyTopic: z
    .string()
    .min(1)
    .max(1024)
    .refine((text) => text.includes('{commandId}'), 'must contain {commandId}')
    .optional()
    .describe(
      'Where devices answer commands that name no response topic: `{topic}`, `{commandId}`',
    ),
  commandFilters: z
    .array(bridgeRoute.filter)
    .min(1)
    .max(50)
    .default(['#'])
    .describe(
      'With `broker.auth`: the topics of commands and replies, and so the rights of the bridge',
    ),
  oidc: z
    .strictObject({
      issuer: urlWith('https:').describe('Issuer of the JWTs'),
      audience: z.string().min(1).max(1000).describe('Audience that a JWT must be for'),
      scopeClaim: z.string().min(1).max(100).default('scope').describe('Claim with the scopes'),
    })
    .optional()
    .describe('Accept the JWTs of this issuer beside the tokens of the table'),
  memoryMiB: z.int().min(128).max(10_240).default(512).describe('Memory of the api function'),
  reservedConcurrency: reservedConcurrency.describe('Instances of the api function, at most'),
});

const ingestSchema = z.strictObject({
  memoryMiB: z.int().min(128).max(10_240).default(512).describe('Memory of the ingest function'),
  reservedConcurrency: reservedConcurrency.describe('Instances of the ingest function, at most'),
});

const fargateSizes: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
};

const bridgeSchema = z
  .strictObject({
    cpu: z
      .literal([256, 512, 1024], 'must be 256, 512 or 1024')
      .default(256)
      .describe('CPU units, 1024 for one; one process does not use more'),
    memoryMiB: z.int().default(512).describe('Memory of a task'),
    tasks: z
      .literal([1, 2], 'must be 1, or 2 for a hot standby: every session has one holder')
      .default(1)
      .describe('2 keeps a hot standby, which takes over within seconds'),
    spot: z
      .boolean()
      .default(false)
      .describe(
        'Fargate Spot: cheaper; may be away for minutes, while the broker keeps the backlog',
      ),
    natGateway: z
      .boolean()
      .default(false)
      .describe('Leave by one fixed address, fit for the allow list of a broker'),
    vpcId: z
      .string()
      .regex(/^vpc-[0-9a-f]{8,17}$/, 'must be the id of a VPC, such as vpc-0123456789abcdef0')
      .optional()
      .describe(
        'Run in this VPC, instead of one of its own; its private subnets must reach DynamoDB',
      ),
  })
  .superRefine(({ cpu, memoryMiB }, context) => {
    const sizes = fargateSizes[cpu] ?? [];
    if (sizes.includes(memoryMiB)) return;
    const message = `must be one of ${sizes.join(', ')} with bridge.cpu ${cpu} (Fargate)`;
    context.addIssue({ code: 'custom', path: ['memoryMiB'], message });
  });

const pushSchema = z.strictObject({
  onenet: z
    .strictObject({
      tokenSecret: secretName.describe(
        "Secret with the token of OneNET's HTTP push; opens `/push/onenet`",
      ),
      aesKeySecret: secretName.optional().describe('Secret with the key of its encrypted pushes'),
      productId: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
        .optional()
        .describe('Product of pushes of the older platform, which name none; `older` by default'),
    })
    .optional()
    .describe("What China Mobile's OneNET may push by HTTP"),
});

export const causewayConfigSchema = z.strictObject({
  broker: brokerSchema,
  routes: z.array(routeSchema).min(1).max(100),
  presence: presenceSchema.optional().describe('Keep who is online'),
  retentionDays: retentionDays.default(30).describe('Days that messages are kept'),
  writeShards: z
    .int()
    .min(1)
    .max(32)
    .default(1)
    .describe(
      'Partitions of a topic; more for above 1,000 messages a second on one. Never lower it',
    ),
  api: apiSchema.prefault({}),
  ingest: ingestSchema.prefault({}),
  push: pushSchema.prefault({}),
  bridge: bridgeSchema.prefault({}),
  logRetentionDays: z
    .literal(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 3653],
      'must be a retention that CloudWatch Logs has, such as 7, 30, 90 or 365',
    )
    .default(30)
    .describe('Days that logs are kept'),
  alarms: z
    .strictObject({ email: z.email().optional().describe('Address that is told of alarms') })
    .prefault({}),
  deletionProtection: z
    .boolean()
    .default(true)
    .describe('The table outlives the stack, and DynamoDB refuses to delete it'),
});

/** What causeway.config.ts says: the config, and how its stack is called and marked. */
export const deploymentSchema = causewayConfigSchema.extend({
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, 'must be a letter and up to 99 letters, digits or -')
    .default('Causeway')
    .describe('Name of the stack; another name is another, separate deployment'),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .default({})
    .describe('Tags of everything that is created'),
});

/** What can be set; {@link CausewayConfig} is what comes out, checked and with all defaults. */
export type CausewayConfigInput = z.input<typeof causewayConfigSchema>;
export type CausewayConfig = z.output<typeof causewayConfigSchema>;
export type RouteSettings = CausewayConfig['routes'][number];
export type DeploymentInput = z.input<typeof deploymentSchema>;
export type Deployment = z.output<typeof deploymentSchema>;

/** Gives causeway.config.ts its types; it is checked where it is used. */
export function defineConfig(deployment: DeploymentInput): DeploymentInput {
  return deployment;
}

/** Checks a deployment, and lists every problem at once: each value by itself, and what is unsafe between them. */
export function parseDeployment(input: unknown): Parsed<Deployment> {
  return parseSafe(deploymentSchema, input);
}

/** As {@link parseDeployment}, for the config alone. */
export function parseCausewayConfig(input: unknown): Parsed<CausewayConfig> {
  return parseSafe(causewayConfigSchema, input);
}

function parseSafe<S extends z.ZodType>(schema: S, given: unknown): Parsed<z.output<S>> {
  const input = withProfile(given);
  const parsed = parseWith(schema, input);
  const faults = [...(parsed.ok ? [] : parsed.faults), ...unsafeSettings(sectionsOf(input))];
  return parsed.ok && faults.length === 0 ? parsed : { ok: false, faults };
}

/** The parts of a config that are right by themselves, so that one mistake does not hide another. */
function sectionsOf(input: unknown) {
  const raw = (typeof input === 'object' && input !== null ? input : {}) as Record<string, unknown>;
  const { api, bridge } = causewayConfigSchema.shape;
  const routes = Array.isArray(raw['routes']) ? raw['routes'] : [];
  return {
    broker: brokerSchema.safeParse(raw['broker']).data,
    routes: routes.map((route) => routeSchema.safeParse(route).data),
    presence: presenceSchema.optional().safeParse(raw['presence']).data,
    api: api.safeParse(raw['api']).data,
    bridge: bridge.safeParse(raw['bridge']).data,
  };
}

/** A route's window: its own, or as many messages as are worth having in flight and the broker allows. */
export function windowOf(
  route: Pick<RouteSettings, 'window'>,
  broker: CausewayConfig['broker'],
): number {
  const { maxWindow = 4000 } = profileOf(broker.profile).limits;
  return route.window ?? Math.min(4000, maxWindow, broker.receiveMaximum ?? 4000);
}
