// The settings of `npm start`: its own, from one schema, and those of the embedded broker, from that one's.
import { join } from 'node:path';
import * as z from 'zod';
import { brokerProtocols } from '../../bridge/config/config.ts';
import { logLevel } from '../../bridge/environment.ts';
import { tracingVariables } from '../../bridge/tracing/environment.ts';
import { type Parsed, parseWith, urlWith } from '../../functions/contract/parse.ts';
import { aesKeyForm } from '../../functions/ingest/push/onenet-signature.ts';
import { brokerHelp, brokerSettingsOf, brokerVariables } from '../broker/settings/environment.ts';
import type { BrokerSettings } from '../broker/settings/settings.ts';
import { isBeyondMachine } from './hosts.ts';

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number from 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a port number from 0 to 65535');

const flag = z
  .enum(['true', 'false'], 'must be true or false')
  .prefault('false')
  .transform((text) => text === 'true');

const tokenForm = /^[A-Za-z0-9._~+/-]{16,256}$/;
const tokenRule = 'must be 16 to 256 letters, digits or ._~+/-';

export const settingsSchema = z
  .object({
    PORT: port.prefault('8080').describe('HTTP port of the API'),
    HOST: z
      .string()
      .regex(/^[\w.:-]+$/, 'must be an IP address or a host name')
      .default('127.0.0.1')
      .describe('address that the API listens on; beyond this machine, as 0.0.0.0, with API_TOKEN'),
    TLS_CERT_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file: the API serves HTTPS with this certificate; read again when it changes'),
    TLS_KEY_FILE: z.string().min(1).optional().describe('PEM file of its private key'),
    MQTT_PORT: port.prefault('1883').describe('port of the embedded broker'),
    BROKER_URL: urlWith(...brokerProtocols)
      .optional()
      .describe('use this broker, and start none'),
    USE_CONFIG_BROKER: flag.describe('use the broker of causeway.config.ts, and start none'),
    SECRETS_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('JSON file with the secrets that causeway.config.ts names, by their names'),
    WEBHOOKS: flag.describe(
      'run the routes with a handler of their own too, with secrets from SECRETS_FILE',
    ),
    DATA_DIR: z
      .string()
      .min(1)
      .default('.causeway')
      .describe(
        'folder of the embedded broker and database, closed to other users (modes 0700 and 0600)',
      ),
    DATABASE_SYNC_WRITES: flag.describe(
      'what is stored survives a power cut, too: each write is forced to the disk (fsync)',
    ),
    API_TOKEN: z
      .string()
      .regex(tokenForm, tokenRule)
      .optional()
      .describe('token for the API, instead of a fresh one'),
    METRICS_TOKEN: z
      .string()
      .regex(tokenForm, tokenRule)
      .optional()
      .describe('token of /metrics where HOST is beyond this machine; API_TOKEN has it too'),
    REQUESTS_PER_SECOND: z
      .string()
      .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1 to 9999999')
      .transform(Number)
      .optional()
      .describe('requests that the API takes from one caller, instead of what the config says'),
    ONENET_PUSH_TOKEN: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("token of OneNET's HTTP push to /push/onenet; without it there is no such path"),
    ONENET_PUSH_AES_KEY: z
      .string()
      .regex(aesKeyForm, 'must be the key of 16 or 43 characters that OneNET shows')
      .optional()
      .describe('key of its encrypted pushes'),
    LOG_LEVEL: logLevel
      .default('warn')
      .describe('what is logged, to standard error; info and below bury what is printed for you'),
    DYNAMODB_ENDPOINT: urlWith('http:', 'https:')
      .optional()
      .describe('use this DynamoDB, and start none'),
    ...tracingVariables,
  })
  .superRefine(({ HOST, API_TOKEN, TLS_CERT_FILE, TLS_KEY_FILE }, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (isBeyondMachine(HOST) && API_TOKEN === undefined)
      fault(
        'HOST',
        'lets other machines in: set API_TOKEN too, to a secret of your own (openssl rand -hex 24 makes one)',
      );
    if (TLS_CERT_FILE === undefined && TLS_KEY_FILE !== undefined)
      fault('TLS_CERT_FILE', 'must be given with TLS_KEY_FILE');
    if (TLS_CERT_FILE !== undefined && TLS_KEY_FILE === undefined)
      fault('TLS_KEY_FILE', 'must be given with TLS_CERT_FILE');
  });

export type Settings = z.output<typeof settingsSchema> & {
  /** Of the embedded broker; undefined where another is used. */
  readonly broker: BrokerSettings | undefined;
};

/** Settings of the embedded broker that are said in another way here. */
const saidOtherwise = { BROKER_PORT: 'is MQTT_PORT here', BROKER_FOLDER: 'is in DATA_DIR here' };

export function parseSettings(environment: Record<string, string | undefined>): Parsed<Settings> {
  // An empty variable is what a shell leaves of one that was taken back.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const own = parseWith(settingsSchema, given);
  const broker = parseBroker(given, own.ok ? own.value : undefined);
  if (own.ok && broker.ok) return { ok: true, value: { ...own.value, broker: broker.value } };
  return { ok: false, faults: [own, broker].flatMap((part) => (part.ok ? [] : part.faults)) };
}

function parseBroker(
  given: Readonly<Record<string, string | undefined>>,
  own: z.output<typeof settingsSchema> | undefined,
): Parsed<BrokerSettings | undefined> {
  const usesConfig = given['USE_CONFIG_BROKER'] === 'true';
  if (usesConfig || given['BROKER_URL'] !== undefined) {
    const rule = 'is for the embedded broker, and another is used';
    const faults = brokerVariables(given)
      .filter((field) => field !== 'BROKER_URL')
      .map((field) => ({ field, rule }));
    if (usesConfig && given['BROKER_URL'] !== undefined)
      faults.push({ field: 'USE_CONFIG_BROKER', rule: 'must not be true beside BROKER_URL' });
    return faults.length > 0 ? { ok: false, faults } : { ok: true, value: undefined };
  }
  return brokerSettingsOf(given, {
    document:
      own === undefined ? {} : { port: own.MQTT_PORT, folder: join(own.DATA_DIR, 'broker') },
    others: [],
    excluded: saidOtherwise,
  });
}

/** The settings as lines of `--help`. */
export function settingsHelp(): string {
  const own = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const { default: preset } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    const suffix = preset === undefined ? '' : ` (default ${preset})`;
    return `  ${name.padEnd(34)} ${schema.description}${suffix}`;
  });
  return [...own, '', 'Of the embedded broker:', brokerHelp(saidOtherwise)].join('\n');
}
