// The one config of a deployment: what the user sets in causeway.config.ts, with defaults and limits. `cdk` and
// `npm start` read it; secrets are in it by name only.
import * as z from 'zod';
import { deadLettersSchema } from '../../bridge/config/dead-letters.ts';
import { withBrokerDefaults } from '../../bridge/config/profile-settings.ts';
import { type Parsed, parseWith } from '../../functions/contract/parse.ts';
import { alertsSchema } from './alerts.ts';
import { bridgeSchema } from './bridge.ts';
import { brokerSchema, ownBrokerFields } from './broker.ts';
import { retentionDays } from './fields.ts';
import { apiSchema, ingestSchema, pushSchema } from './functions.ts';
import { presenceSchema } from './presence-routes.ts';
import { routeSchema } from './route.ts';
import { tableSchema } from './table.ts';
import { unsafeSettings } from './unsafe-settings.ts';

export const causewayConfigSchema = z.strictObject({
  broker: brokerSchema,
  routes: z.array(routeSchema).min(1).max(100),
  presence: presenceSchema.optional().describe('Keep who is online'),
  retentionDays: retentionDays.default(30).describe('Days that messages are kept'),
  deadLetters: deadLettersSchema.prefault({}),
  alerts: alertsSchema.optional().describe('Tell an endpoint of what is wrong'),
  writeShards: z
    .int()
    .min(1)
    .max(32)
    .default(1)
    .describe(
      'Partitions of a topic whose messages are stored as items; more for above 1,000 messages a second on one. Never lower it',
    ),
  api: apiSchema.prefault({}),
  ingest: ingestSchema.prefault({}),
  push: pushSchema.prefault({}),
  bridge: bridgeSchema.prefault({}),
  table: tableSchema.prefault({}),
  logRetentionDays: z
    .literal(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 3653],
      'must be a retention that CloudWatch Logs has, such as 7, 30, 90 or 365',
    )
    .default(30)
    .describe('Days that logs are kept'),
  alarms: z
    .strictObject({
      email: z.email().optional().describe('Address that is told of alarms'),
      dashboard: z
        .boolean()
        .default(false)
        .describe('Make a dashboard in CloudWatch; it costs $3 a month'),
    })
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
  const input = withBrokerDefaults(given);
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
    broker: ownBrokerFields.safeParse(raw['broker']).data,
    routes: routes.map((route) => routeSchema.safeParse(route).data),
    presence: presenceSchema.optional().safeParse(raw['presence']).data,
    api: api.safeParse(raw['api']).data,
    bridge: bridge.safeParse(raw['bridge']).data,
  };
}
