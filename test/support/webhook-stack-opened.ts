// The local stack of webhook-stack.ts itself, the same in every process that starts it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { type CausewayConfigInput, parseCausewayConfig } from '../../infra/config/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { startStack } from '../../infra/local/stack.ts';

type WebhookRoute = CausewayConfigInput['routes'][number];

export interface WebhookStackInput {
  /** Beside `store`, which stores everything. */
  readonly routes: readonly WebhookRoute[];
  /** Of an earlier stack, to start again with what it kept. */
  readonly folder?: string | undefined;
  readonly retentionDays?: number;
  /** Of a DynamoDB to use; by default it starts its own. */
  readonly databaseUrl?: string;
}

export type CompleteInput = Omit<WebhookStackInput, 'folder'> & { readonly folder: string };

/** The secret that handlers name: without one, others could send too. */
export const hookSecret = 'hook';
const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

export function openStack({ routes, folder, retentionDays = 30, databaseUrl }: CompleteInput) {
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }, ...routes],
    retentionDays,
  } as CausewayConfigInput);
  const file = join(folder, 'secrets.json');
  writeFileSync(file, JSON.stringify({ [hookSecret]: secret }), { mode: 0o600 });
  const settings = parseSettings({
    PORT: '0',
    MQTT_PORT: '0',
    DATA_DIR: folder,
    WEBHOOKS: 'true',
    SECRETS_FILE: file,
    REQUESTS_PER_SECOND: '10000',
    DYNAMODB_ENDPOINT: databaseUrl,
  });
  if (!config.ok || !settings.ok) throw new Error(JSON.stringify([config, settings]));
  return startStack(settings.value, config.value, pino({ level: 'silent' }));
}
