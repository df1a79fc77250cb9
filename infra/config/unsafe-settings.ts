// What a config must not say although each section is right by itself: it would lose messages, lay them open, or never
// work. Pure; one function a rule.
import { memoryFaults } from '../../bridge/config/memory.ts';
import { brokerLimitFaults, profileFaults, rulesOf } from '../../bridge/config/profile-settings.ts';
import { nameFaults } from '../../bridge/config/route.ts';
import { filterFaults } from '../../functions/contract/broker-rules.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import type { BridgeSettings } from './bridge.ts';
import type { BrokerSettings } from './broker.ts';
import type { ApiSettings } from './functions.ts';
import { isPresenceRouteName, type PresenceSettings, presenceRoutes } from './presence-routes.ts';
import type { RouteSettings } from './route.ts';

/** The sections that could be read; a section with faults of its own is absent. */
export interface Sections {
  readonly broker: BrokerSettings | undefined;
  readonly routes: readonly (RouteSettings | undefined)[];
  readonly presence?: PresenceSettings | undefined;
  readonly api: ApiSettings | undefined;
  readonly bridge: BridgeSettings | undefined;
}

type Rule = (sections: Sections) => FieldFault[];

export function unsafeSettings(sections: Sections): FieldFault[] {
  return rules.flatMap((rule) => rule(sections));
}

const rules: readonly Rule[] = [
  ({ routes }) => nameFaults(routes),
  nameOfPresence,
  aboveBrokersLimits,
  againstProfile,
  presenceOfOneNet,
  moreRoutesThanMemory,
  issuerOutOfReach,
];

function nameOfPresence({ routes }: Sections): FieldFault[] {
  return routes.flatMap((route, index) =>
    route === undefined || !isPresenceRouteName(route.name)
      ? []
      : [{ field: `routes.${index}.name`, rule: 'is kept for the route of presence messages' }],
  );
}

function aboveBrokersLimits(sections: Sections): FieldFault[] {
  return brokerLimitFaults({ broker: sections.broker, routes: allRoutes(sections) });
}

/** What the broker of the profile would not keep to. */
function againstProfile({ broker, routes, presence }: Sections): FieldFault[] {
  if (broker?.profile === undefined) return [];
  const ofPresence = presenceRoutes(presence, broker).flatMap(({ filter }) =>
    filterFaults(filter, rulesOf(broker)).map((rule) => ({
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

/** Each route has a floor of its own in the memory of a task. */
function moreRoutesThanMemory({ bridge, ...sections }: Sections): FieldFault[] {
  if (bridge === undefined) return [];
  const routes = allRoutes({ bridge, ...sections }).filter((route) => route !== undefined);
  return memoryFaults(bridge.memoryMiB, routes, 'bridge.memoryMiB');
}

function allRoutes({ broker, routes, presence }: Sections) {
  return [...routes, ...presenceRoutes(presence, broker ?? {})];
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
