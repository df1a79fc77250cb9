// The config's section `broker`: what does not go together is said before anything is created, as the bridge would.
import { expect, test } from 'vitest';
import { parseCausewayConfig } from '../../../infra/config/config.ts';

function faultsOf(broker: object): string[] {
  const parsed = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com', ...broker },
    routes: [{ name: 'store', filter: 'devices/#' }],
  });
  return parsed.ok ? [] : parsed.faults.map(({ field, rule }) => `${field}: ${rule}`);
}

const onenet = { platform: 'token', productId: '123', keySecret: 'onenet-key' };

test('OneNET by a secret is enough', () => {
  expect(faultsOf({ profile: 'onenet', onenet })).toEqual([]);
});

test.each<readonly [string, object, string]>([
  ['no profile', { onenet }, "broker.profile: must be 'onenet' beside broker.onenet"],
  [
    'credentials too',
    { profile: 'onenet', onenet, credentialsSecret: 'c' },
    'broker.credentialsSecret: must not stand beside broker.onenet',
  ],
  [
    'a last will',
    { profile: 'onenet', onenet, status: { retain: false } },
    'broker.status: must not be set: the platform takes no last will',
  ],
  [
    'a key in the config itself',
    { profile: 'onenet', onenet: { ...onenet, key: 'bm90IGEga2V5' } },
    'broker.onenet.key: is not a known field',
  ],
  [
    'a retained status',
    {
      profile: 'onenet',
      onenet: { platform: 'device', productId: '123', apiKeySecret: 'k' },
      status: {},
    },
    'broker.status.retain: must be false: the broker does not retain messages (profile onenet)',
  ],
])('OneNET with %s is a fault', (_, broker, fault) => {
  expect(faultsOf(broker)).toEqual([fault]);
});
