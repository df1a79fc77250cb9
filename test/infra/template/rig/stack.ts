// The stack that is run: a route of each kind, every secret that a broker can ask for, presence, and a push from outside.
import type { DeploymentInput } from '../../../../infra/config/config.ts';
import { pushToken } from '../../../support/onenet-push.ts';
import { addStack, createApp } from '../../aws/synth.ts';
import { type Assembly, readAssembly } from './assembly.ts';
import type { World } from './world.ts';

const stackName = 'Template';
export const webhookSecret = `whsec_${Buffer.from('a secret of the webhook!').toString('base64')}`;

export const bearerToken = 'a-token-of-the-webhook';

/** A task that is stopped waits for its requests so long, and ten seconds more. */
const timeoutMs = 5000;

export function synthesize({ brokerUrl, webhook }: World): Assembly {
  const app = createApp();
  addStack(app, {
    stackName,
    broker: {
      url: brokerUrl,
      credentialsSecret: 'causeway/broker',
      caSecret: 'causeway/ca',
      clientCertificateSecret: 'causeway/certificate',
      status: {},
    },
    routes: [
      { name: 'rooms', filter: 'rooms/#', timeoutMs },
      { name: 'short', filter: 'short/#', timeoutMs, retentionDays: 2 },
      {
        name: 'hook',
        filter: 'alarms/#',
        timeoutMs,
        handler: { url: webhook.url, allowPrivate: true, secretName: 'causeway/hook' },
      },
      {
        name: 'lights',
        filter: 'lights/+',
        timeoutMs,
        handler: {
          url: `${webhook.url}/{2}`,
          method: 'PUT',
          format: 'raw',
          allowPrivate: true,
          bearerSecret: 'causeway/bearer',
        },
      },
    ],
    presence: { source: 'last-will', lastWill: { topic: 'devices/{clientId}/status' } },
    push: { onenet: { tokenSecret: 'causeway/push' } },
    retentionDays: 7,
    writeShards: 2,
  } satisfies DeploymentInput);
  return readAssembly(app.synth().directory, stackName);
}

/** Values of the secrets that it names. */
export function secretsOf(world: World): Record<string, string> {
  return {
    'causeway/broker': JSON.stringify(world.credentials),
    'causeway/ca': world.ca,
    'causeway/certificate': JSON.stringify(world.clientCertificate),
    'causeway/hook': webhookSecret,
    'causeway/bearer': bearerToken,
    'causeway/push': pushToken,
  };
}
