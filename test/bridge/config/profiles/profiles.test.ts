// Profiles in a config: what they set, and what they refuse, with the path and the rule.
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../bridge/config/config.ts';
import { profileFaults } from '../../../../bridge/config/profile-settings.ts';
import { profileName, profileOf } from '../../../../bridge/config/profiles/profiles.ts';
import {
  brokerRulesSchema,
  publicationFaults,
} from '../../../../functions/contract/broker-rules.ts';
import { filterFault, matchesFilter } from '../../../../functions/contract/topic.ts';

interface Parts {
  readonly broker?: object;
  readonly route?: object;
  readonly commands?: object;
}

function parse({ broker, route, commands }: Parts) {
  return parseConfig({
    broker: { url: 'mqtts://broker.example.com', ...broker },
    routes: [{ name: 'store', filter: 'devices/#', url: 'https://handler.example.com', ...route }],
    ...(commands !== undefined && { commands }),
  });
}

function faultsOf(parts: Parts) {
  const parsed = parse(parts);
  return parsed.ok ? [] : parsed.faults.map(({ field, rule }) => `${field} ${rule}`);
}

function configOf(parts: Parts) {
  const parsed = parse(parts);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

test.each(profileName.options)('%s has rules that hold for its own defaults', (name) => {
  const { rules, presence } = profileOf(name);
  expect(brokerRulesSchema.parse(rules)).toEqual(rules);
  for (const filter of presence.filters) expect(filterFault(filter)).toBeUndefined();
  const { broker, routes, commands } = configOf({ broker: { profile: name } });
  expect(profileFaults({ broker, routes, commands })).toEqual([]);
});

test.each([
  ['aws-iot', '$aws/events/presence/connected/', ''],
  ['aws-iot', '$aws/events/presence/disconnected/', ''],
  ['emqx', '$SYS/brokers/emqx@10.0.0.1/clients/', '/connected'],
  ['emqx', '$SYS/brokers/emqx@10.0.0.1/clients/', '/disconnected'],
] as const)(
  '%s: presence of all client ids comes, those with slashes too: %s…%s',
  (name, before, behind) => {
    const { filters } = profileOf(name).presence;
    for (const clientId of ['lamp', 'site/1/lamp']) {
      const topic = `${before}${clientId}${behind}`;
      expect(filters.filter((filter) => matchesFilter(filter, topic))).toHaveLength(1);
    }
  },
);

describe('unset settings', () => {
  test('are those of the profile', () => {
    const { broker, routes } = configOf({ broker: { profile: 'aws-iot' } });
    expect(broker).toMatchObject({ keepaliveSeconds: 30, sessionExpirySeconds: 604_800 });
    expect(routes[0]?.window).toBe(100);
    expect(configOf({ broker: { profile: 'nats' } }).broker.protocolVersion).toBe(4);
    expect(configOf({ broker: { profile: 'rabbitmq' } }).broker.sessionExpirySeconds).toBe(86_400);
  });

  test('are the bridge’s own without one, or where it says nothing', () => {
    expect(configOf({}).routes[0]?.window).toBe(4000);
    const { broker, routes } = configOf({ broker: { profile: 'mosquitto' } });
    expect(broker).toMatchObject({ protocolVersion: 5, keepaliveSeconds: 30 });
    expect(routes[0]?.window).toBe(4000);
  });
});

test('AWS IoT Core: client ids have 128 bytes, and reserved topics retain nothing', () => {
  const ids = (clientId: string) => ({
    broker: { profile: 'aws-iot', clientIds: { a: clientId } },
  });
  expect(faultsOf(ids('\u00e4'.repeat(64)))).toEqual([]);
  expect(faultsOf(ids('\u00e4'.repeat(65)))).toEqual([
    expect.stringMatching(/^broker\.clientIds\.a must be at most 128 bytes/),
  ]);
  const { rules } = profileOf('aws-iot');
  const publish = { topic: '$aws/rules/a/b', payloadBytes: 1, qos: 1, retain: true } as const;
  expect(publicationFaults(publish, rules).map(({ field }) => field)).toEqual(['retain']);
  expect(publicationFaults({ ...publish, retain: false }, rules)).toEqual([]);
  expect(publicationFaults({ ...publish, topic: 'devices/a' }, rules)).toEqual([]);
});

test('explicit settings win within the limits of the broker', () => {
  const { broker, routes } = configOf({
    broker: { profile: 'aws-iot', keepaliveSeconds: 1200, sessionExpirySeconds: 3600 },
    route: { window: 20, connections: 4 },
  });
  expect(broker).toMatchObject({ keepaliveSeconds: 1200, sessionExpirySeconds: 3600 });
  expect(routes[0]?.window).toBe(20);
});

describe('beyond a limit of AWS IoT Core', () => {
  test.each([
    [{ broker: { keepaliveSeconds: 29 } }, /^broker.keepaliveSeconds must be at least 30 /],
    [{ broker: { keepaliveSeconds: 1201 } }, /^broker.keepaliveSeconds must be at most 1200 /],
    [{ broker: { sessionExpirySeconds: 604_801 } }, /^broker.sessionExpirySeconds .* 604800/],
    [{ route: { window: 101 } }, /^routes.0.window must be at most 100/],
    [{ route: { filter: 'a/b/c/d/e/f/g/h/#' } }, /^routes.0.filter .* 8 levels/],
    [{ route: { filter: 'a'.repeat(257) } }, /^routes.0.filter .* 256 bytes/],
    [{ route: { filter: '$SYS/#' } }, /^routes.0.filter .* but for \$aws\//],
    [{ commands: { window: 101 } }, /^commands.window must be at most 100/],
    [
      { broker: { status: { topic: 'a/b/c/d/e/f/g/h/{clientId}' } } },
      /^broker.status.topic .* 8 levels/,
    ],
  ])('%j', (parts: Parts, fault) => {
    expect(faultsOf({ ...parts, broker: { profile: 'aws-iot', ...parts.broker } })).toEqual([
      expect.stringMatching(fault),
    ]);
    // Without the profile nobody knows.
    expect(faultsOf(parts)).toEqual([]);
  });

  test('all faults come at once', () => {
    expect(
      faultsOf({
        broker: { profile: 'aws-iot', keepaliveSeconds: 5 },
        route: { window: 4000, filter: '$SYS/#' },
      }),
    ).toHaveLength(3);
  });
});

const olderOneNet = {
  profile: 'onenet',
  onenet: { platform: 'device', productId: '123', apiKey: 'key' },
};

test('a status that the broker takes is none', () => {
  expect(faultsOf({ broker: { ...olderOneNet, status: { retain: false } } })).toEqual([]);
  expect(faultsOf({ broker: { profile: 'aws-iot', status: {} } })).toEqual([]);
});

test.each([
  [
    { broker: { profile: 'rabbitmq' }, route: { connections: 2 } },
    /^routes.0.connections must be 1/,
  ],
  [{ broker: { profile: 'nats' }, route: { connections: 2 } }, /^routes.0.connections must be 1/],
  [
    { broker: { profile: 'nats' }, route: { shareGroup: 'fleet' } },
    /^routes.0.shareGroup must be left out/,
  ],
  [{ broker: { profile: 'nats', protocolVersion: 5 } }, /^broker.protocolVersion must be 4/],
  [{ broker: { profile: 'activemq' } }, /^broker.profile/],
  [{ broker: { ...olderOneNet, status: {} } }, /^broker.status.retain must be false/],
] as const)('%j is a fault', (parts, fault) => {
  expect(faultsOf(parts)).toEqual([expect.stringMatching(fault)]);
});

describe('auth', () => {
  const url = 'wss://a1b2c3-ats.iot.eu-central-1.amazonaws.com/mqtt';

  test('takes the region from the host, or from the config', () => {
    expect(faultsOf({ broker: { url, auth: 'aws-iam' } })).toEqual([]);
    for (const host of [
      'a1.ats.iot.cn-north-1.amazonaws.com.cn',
      'a1-ats.iot-fips.us-gov-west-1.amazonaws.com',
      'vpce-1-ats.iot.eu-west-1.vpce.amazonaws.com',
    ])
      expect(faultsOf({ broker: { url: `wss://${host}/mqtt`, auth: 'aws-iam' } })).toEqual([]);
    const own = { url: 'wss://iot.example.com/mqtt', auth: 'aws-iam' };
    expect(faultsOf({ broker: own })).toEqual([expect.stringMatching(/^broker.region is needed/)]);
    expect(faultsOf({ broker: { ...own, region: 'eu-west-1' } })).toEqual([]);
  });

  test.each([
    [{ url: url.replace('wss', 'mqtts'), auth: 'aws-iam' }, /^broker.url must be wss/],
    [{ url: url.replace('/mqtt', '/'), auth: 'aws-iam' }, /^broker.url must be wss/],
    [{ url, auth: 'aws-iam', username: 'a' }, /^broker.username must not stand beside/],
    [{ url, auth: 'aws-iam', credentialsSecret: 'a' }, /^broker.credentialsSecret must not/],
    [{ url, region: 'eu-west-1' }, /^broker.region needs broker.auth/],
    [{ url, auth: 'aws-iam', region: 'EU' }, /^broker.region must be a region/],
  ])('%j is a fault', (broker, fault) => {
    expect(faultsOf({ broker })).toEqual([expect.stringMatching(fault)]);
  });
});
