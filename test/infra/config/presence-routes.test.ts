// The routes that `presence` makes, on AWS and on one machine, and the names and limits that they share with others.
import { expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { awsBridgeDocument } from '../../../infra/aws/bridge-document.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config/config.ts';
import { bridgeRoutes, presenceRoutes } from '../../../infra/config/presence-routes.ts';
import { localBridgeDocument } from '../../../infra/local/bridge-document.ts';
import { localWiring } from '../local/local-wiring.ts';

type Changes = Partial<Omit<CausewayConfigInput, 'broker'>> & {
  readonly broker?: Partial<CausewayConfigInput['broker']>;
};

const parse = ({ broker, ...rest }: Changes) =>
  parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com', ...broker },
    routes: [{ name: 'store', filter: '#' }],
    ...rest,
  });

function checked(changes: Changes) {
  const parsed = parse(changes);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

const faultsOf = (changes: Changes) => {
  const parsed = parse(changes);
  return parsed.ok ? [] : parsed.faults.map(({ field }) => field);
};

const routesOf = (changes: Changes) => {
  const { presence, broker } = checked(changes);
  return presenceRoutes(presence, broker).map(({ name, filter, query }) => [
    name,
    filter,
    decodeURIComponent(query),
  ]);
};

const lastWill = 'presence=last-will&filter=devices/+/status&online=online&offline=offline';

test('without the section there is none', () => {
  expect(routesOf({})).toEqual([]);
});

test('the source is that of the profile, or the last will of devices', () => {
  expect(routesOf({ presence: {} })).toEqual([['presence', 'devices/+/status', lastWill]]);
  expect(routesOf({ presence: {}, broker: { profile: 'mosquitto' } })).toHaveLength(1);
  expect(routesOf({ presence: {}, broker: { profile: 'aws-iot' } })).toEqual([
    ['presence-1', '$aws/events/presence/connected/#', 'presence=aws-iot'],
    ['presence-2', '$aws/events/presence/disconnected/#', 'presence=aws-iot'],
  ]);
  expect(routesOf({ presence: {}, broker: { profile: 'emqx' } })).toEqual([
    ['presence', '$SYS/brokers/+/clients/#', 'presence=emqx'],
  ]);
});

test('the config can name the source, its filters, and how devices say it', () => {
  const presence = { source: 'emqx' as const, filters: ['$event/+'] };
  expect(routesOf({ presence })).toEqual([['presence', '$event/+', 'presence=emqx']]);
  expect(
    routesOf({
      presence: { lastWill: { topic: '{clientId}/lwt', online: 'on line', offline: 'off' } },
    }),
  ).toEqual([
    ['presence', '+/lwt', 'presence=last-will&filter=+/lwt&online=on%20line&offline=off'],
  ]);
});

test.each<[Changes, string]>([
  [{ presence: { lastWill: { topic: 'devices/status' } } }, 'presence.lastWill.topic'],
  [{ presence: { lastWill: { topic: '+/{clientId}' } } }, 'presence.lastWill.topic'],
  [{ presence: { lastWill: { online: 'x', offline: 'x' } } }, 'presence.lastWill.offline'],
  [{ presence: { lastWill: { topic: '{clientId}/{clientId}' } } }, 'presence.lastWill.topic'],
  [{ presence: { filters: ['a/#/b'] } }, 'presence.filters.0'],
  [{ routes: [{ name: 'presence', filter: '#' }] }, 'routes.0.name'],
  [{ routes: [{ name: 'presence-2', filter: '#' }], presence: {} }, 'routes.0.name'],
  [{ presence: {}, broker: { maxClients: 2 } }, 'routes'],
  [
    {
      presence: { source: 'last-will', lastWill: { topic: '1/2/3/4/5/6/7/8/{clientId}' } },
      broker: { profile: 'aws-iot' },
    },
    'presence',
  ],
  [{ presence: {}, broker: { profile: 'onenet' } }, 'presence'],
  [{ presence: {}, bridge: { memoryMiB: 512 }, routes: [large()] }, 'bridge.memoryMiB'],
])('%j is a fault', (changes, field) => {
  expect(faultsOf(changes)).toEqual([field]);
});

/** A route whose connections leave just enough memory for themselves. */
function large() {
  return { name: 'large', filter: '#', connections: 43 };
}

test('without presence the same limits suffice', () => {
  expect(faultsOf({ broker: { maxClients: 2 } })).toEqual([]);
  expect(faultsOf({ bridge: { memoryMiB: 512 }, routes: [large()] })).toEqual([]);
});

test("on AWS they are in the bridge's document, behind the others, signed like them", () => {
  const config = checked({ presence: {}, broker: { receiveMaximum: 50 } });
  const document = awsBridgeDocument(config, {
    tableName: 'messages',
    ingestUrl: 'https://abc.lambda-url.eu-central-1.on.aws/',
  });
  const parsed = parseConfig(document);
  expect(parsed.ok ? [] : parsed.faults).toEqual([]);
  expect(document.routes.map(({ name }) => name)).toEqual(['store', 'presence']);
  expect(parsed.ok && parsed.value.routes[1]).toMatchObject({
    auth: 'aws-iam',
    window: 50,
    connections: 1,
  });
  const [route] = presenceRoutes(config.presence, {});
  expect(document.routes[1]).toHaveProperty(
    'url',
    `https://abc.lambda-url.eu-central-1.on.aws/?${route?.query}`,
  );
});

test('their requests wait no longer than those that store: both are to one function', () => {
  const routes = [
    { name: 'store', filter: '#', timeoutMs: 5000 },
    {
      name: 'hook',
      filter: 'a',
      timeoutMs: 1000,
      handler: { url: 'https://a.example.com', secretName: 'a' },
    },
  ];
  expect(bridgeRoutes(checked({ presence: {}, routes })).at(-1)?.timeoutMs).toBe(5000);
});

test('on one machine they go to ingest in this process, for the embedded broker without being asked for', () => {
  const document = localBridgeDocument(checked({}), {
    ...localWiring,
    isEmbedded: true,
    webhooks: false,
  });
  expect(parseConfig(document)).toMatchObject({
    ok: true,
    value: {
      routes: [
        { name: 'store' },
        {
          name: 'presence',
          filter: '$events/client/+',
          url: 'http://127.0.0.1:9000/?presence=embedded',
        },
      ],
    },
  });
});
