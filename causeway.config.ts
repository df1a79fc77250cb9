// Your deployment: `npx cdk deploy` creates what this file says. Secrets are named here and kept in Secrets Manager.
import { defineConfig } from './infra/config/config.ts';

export default defineConfig({
  broker: {
    // The broker that your devices use.
    url: 'mqtts://broker.example.com:8883',
    // A secret with {"username": …, "password": …}: `aws secretsmanager create-secret --name causeway/broker …`
    // credentialsSecret: 'causeway/broker',
  },
  routes: [
    // Everything is stored. A route can have a webhook instead:
    // handler: { url: 'https://hooks.example.com/mqtt', secretName: 'causeway/hooks' }
    { name: 'store', filter: '#' },
  ],
  // Keep which clients are online, as the broker tells it; or as devices do themselves, by a last will:
  // presence: { source: 'last-will', lastWill: { topic: 'devices/{clientId}/status' } },
  retentionDays: 30,
  // alarms: { email: 'you@example.com' },
});
