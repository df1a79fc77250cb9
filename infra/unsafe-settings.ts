// What a config must not say although each value is legal by itself: it would lose messages, lay them open, or
// never work. Pure; one function a rule.
import { BlockList, isIP } from 'node:net';
import { awsAuthFaults } from '../bridge/broker/aws-iot-auth.ts';
import { profileFaults, rulesOf } from '../bridge/profiles/settings.ts';
import { filterFaults } from '../functions/contract/broker-rules.ts';
import type { FieldFault } from '../functions/contract/problem.ts';
import type { CausewayConfig, RouteSettings } from './config.ts';
import { isPresenceRouteName, presenceRoutes } from './presence-routes.ts';

/** The sections that could be read; a section with faults of its own is absent. */
export interface Sections {
  readonly broker: CausewayConfig['broker'] | undefined;
  readonly routes: readonly (RouteSettings | undefined)[];
  readonly presence?: CausewayConfig['presence'];
  readonly api: CausewayConfig['api'] | undefined;
  readonly bridge: CausewayConfig['bridge'] | undefined;
}

type Rule = (sections: Sections) => FieldFault[];

export function unsafeSettings(sections: Sections): FieldFault[] {
  return rules.flatMap((rule) => rule(sections));
}

const rules: readonly Rule[] = [
  nameTwice,
  nameOfPresence,
  tlsSettingsWithoutTls,
  windowAboveBroker,
  againstProfile,
  presenceOfOneNet,
  signingWithout,
  moreClientsThanAllowed,
  windowsAboveMemory,
  issuerOutOfReach,
];

function nameTwice({ routes }: Sections): FieldFault[] {
  return routes.flatMap((route, index) => {
    const twin = routes.findIndex((other) => other?.name === route?.name);
    return route === undefined || twin === index
      ? []
      : [{ field: `routes.${index}.name`, rule: `is also the name of routes.${twin}` }];
  });
}

/** Two routes of one name would be two clients with one id. */
function nameOfPresence({ routes }: Sections): FieldFault[] {
  return routes.flatMap((route, index) =>
    route === undefined || !isPresenceRouteName(route.name)
      ? []
      : [{ field: `routes.${index}.name`, rule: 'is kept for the route of presence messages' }],
  );
}

function tlsSettingsWithoutTls({ broker }: Sections): FieldFault[] {
  if (broker === undefined || /^mqtts:/i.test(broker.url)) return [];
  const alpn = { field: 'broker.alpnProtocols', rule: 'needs a URL with mqtts' };
  const faults = broker.alpnProtocols === undefined ? [] : [alpn];
  if (/^wss:/i.test(broker.url)) return faults;
  for (const name of ['caSecret', 'clientCertificateSecret', 'serverName'] as const)
    if (broker[name] !== undefined)
      faults.push({
        field: `broker.${name}`,
        rule: 'needs a URL with mqtts or wss: there is no TLS otherwise',
      });
  return faults;
}

function windowAboveBroker({ broker, routes }: Sections): FieldFault[] {
  const limit = broker?.receiveMaximum;
  return routes.flatMap((route, index) =>
    limit === undefined || route?.window === undefined || route.window <= limit
      ? []
      : [
          {
            field: `routes.${index}.window`,
            rule: `is above broker.receiveMaximum (${limit}): the broker would never fill it`,
          },
        ],
  );
}

/** What the broker of the profile would not keep to. */
function againstProfile({ broker, routes, presence }: Sections): FieldFault[] {
  if (broker?.profile === undefined) return [];
  const ofPresence = presenceRoutes(presence, broker.profile).flatMap(({ filter }) =>
    filterFaults(filter, rulesOf(broker.profile)).map((rule) => ({
      field: 'presence',
      rule: `${filter} ${rule} (profile ${broker.profile})`,
    })),
  );
  return [...profileFaults({ broker, routes }), ...ofPresence];
}

/** A device there hears only topics of its own. */
function presenceOfOneNet({ broker, presence }: Sections): FieldFault[] {
  if (broker?.profile !== 'onenet' || presence === undefined) return [];
  return [{ field: 'presence', rule: 'must not be set: OneNET tells it by its HTTP push alone' }];
}

function signingWithout({ broker }: Sections): FieldFault[] {
  if (broker === undefined) return [];
  return awsAuthFaults(broker).map(({ field, rule }) => ({ field: `broker.${field}`, rule }));
}

/** One client id for each connection of a route, and one for commands. A standby waits for them, it needs none. */
function moreClientsThanAllowed({ broker, routes, presence }: Sections): FieldFault[] {
  const limit = broker?.maxClients;
  const own = 1 + presenceRoutes(presence, broker?.profile).length;
  const needed = own + routes.reduce((sum, route) => sum + (route?.connections ?? 0), 0);
  if (limit === undefined || needed <= limit) return [];
  return [
    {
      field: 'routes',
      rule: `need ${needed} client ids, one for each connection and one for commands, but broker.maxClients is ${limit}`,
    },
  ];
}

/** What the bridge takes without any message; measured, see test/bench. */
const idleMemoryMiB = 150;

/** Every byte of a window can be there twice: as it came, and in the body of a request. */
function windowsAboveMemory({ broker, routes, presence, bridge }: Sections): FieldFault[] {
  if (bridge === undefined) return [];
  const windows = [
    ...routes.map((route) => (route?.maxWindowBytes ?? 0) * (route?.connections ?? 0)),
    ...presenceRoutes(presence, broker?.profile).map(({ maxWindowBytes }) => maxWindowBytes),
  ].reduce((sum, bytes) => sum + bytes, 0);
  const neededMiB = Math.ceil(idleMemoryMiB + (2 * windows) / (1024 * 1024));
  if (neededMiB <= bridge.memoryMiB) return [];
  return [
    {
      field: 'bridge.memoryMiB',
      rule: `must be at least ${neededMiB}: full windows (maxWindowBytes of all connections) would not fit`,
    },
  ];
}

function issuerOutOfReach({ api, bridge }: Sections): FieldFault[] {
  if (api?.oidc === undefined || bridge === undefined) return [];
  if (bridge.natGateway || bridge.vpcId !== undefined) return [];
  return [
    {
      field: 'api.oidc',
      rule: "needs bridge.natGateway, or a bridge.vpcId whose private subnets have a way out: the api function fetches the issuer's keys",
    },
  ];
}

/** A function URL takes 6 MB, and base64 adds a third [Lambda quotas]. */
const maxIngestBatchBytes = 4.5 * 1024 * 1024;

/** The rule that a batch for the ingest function breaks by its size, or undefined. */
export function batchAboveFunctionUrl(maxBatchBytes: number): string | undefined {
  if (maxBatchBytes <= maxIngestBatchBytes) return undefined;
  return `must be at most ${maxIngestBatchBytes}: the ingest function takes 6 MB, in base64`;
}

/** The rule that a broker's URL breaks where anybody on the way could read along, or undefined. */
export function plainTextToPublicHost(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  if ((protocol !== 'mqtt:' && protocol !== 'ws:') || isPrivateHost(hostname)) return undefined;
  const secure = protocol === 'ws:' ? 'wss' : 'mqtts';
  return `is plain text to a public host: use ${secure}://, or set broker.allowPlainText if everybody may read and change the messages`;
}

const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv4');
}
privateAddresses.addAddress('::1', 'ipv6');
privateAddresses.addSubnet('fc00::', 7, 'ipv6');

/** Whether only a private network leads to a host: RFC 1918 and 4193, loopback, `.internal`, `.local`. */
function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const version = isIP(host);
  if (version !== 0) return privateAddresses.check(host, version === 4 ? 'ipv4' : 'ipv6');
  return host === 'localhost' || /\.(internal|local|localhost)$/.test(host);
}
