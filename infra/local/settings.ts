// The settings of `npm start`: their names, defaults and limits, from one schema.
import * as z from 'zod';
import { brokerProtocols } from '../../bridge/config.ts';
import { type Parsed, parseWith, urlWith } from '../../functions/contract/parse.ts';

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number from 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a port number from 0 to 65535');

export const settingsSchema = z.object({
  PORT: port.prefault('8080').describe('HTTP port of the API'),
  MQTT_PORT: port.prefault('1883').describe('port of the embedded broker'),
  BROKER_URL: urlWith(...brokerProtocols)
    .optional()
    .describe('use this broker, and start none'),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.causeway')
    .describe('folder of the embedded broker and database'),
  API_TOKEN: z
    .string()
    .regex(/^[A-Za-z0-9._~+/-]{16,256}$/, 'must be 16 to 256 letters, digits or ._~+/-')
    .optional()
    .describe('token for the API, instead of a fresh one'),
  REQUESTS_PER_SECOND: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be a whole number from 1 to 9999999')
    .transform(Number)
    .optional()
    .describe('requests that the API takes from one caller, instead of what the config says'),
  DYNAMODB_ENDPOINT: urlWith('http:', 'https:')
    .optional()
    .describe('use this DynamoDB, and start none'),
});

export type Settings = z.output<typeof settingsSchema>;

export function parseSettings(environment: Record<string, string | undefined>): Parsed<Settings> {
  // An empty variable is what a shell leaves of one that was taken back.
  return parseWith(
    settingsSchema,
    Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')),
  );
}

/** The settings as lines of `--help`. */
export function settingsHelp(): string {
  return Object.entries(settingsSchema.shape)
    .map(([name, schema]) => {
      const { default: preset } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
      const suffix = preset === undefined ? '' : ` (default ${preset})`;
      return `  ${name.padEnd(18)} ${schema.description}${suffix}`;
    })
    .join('\n');
}
