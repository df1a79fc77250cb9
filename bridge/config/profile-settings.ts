// What the broker makes of a config, by its profile and its limits: values for settings that the config leaves out, and
// the faults of those that the broker would not keep to. Pure; for the bridge's document and for the config of a deployment.
import * as z from 'zod';
import {
  type BrokerRules,
  filterFaults,
  publicationFaults,
} from '../../functions/contract/broker-rules.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import type { Profile } from './profiles/profile.ts';
import { type ProfileName, profileName, profileOf } from './profiles/profiles.ts';
import { defaultWindow } from './route.ts';
import { type StatusSettings, statusTopic } from './status.ts';

/** What a broker says of itself: its profile, and what its operator allows. */
export interface BrokerLimits {
  readonly profile?: ProfileName | undefined;
  readonly receiveMaximum?: number | undefined;
}

/** The window of a route that names none: as many messages as are worth having in flight, and the broker allows. */
export function usualWindow({ profile, receiveMaximum = defaultWindow }: BrokerLimits): number {
  const { maxWindow = defaultWindow } = profileOf(profile).limits;
  return Math.min(defaultWindow, maxWindow, receiveMaximum);
}

const limitsSchema = z.object({
  profile: profileName.optional().catch(undefined),
  receiveMaximum: z.int().min(1).optional().catch(undefined),
});

/**
 * A document with the defaults that its broker brings: those of the profile, and a window that it allows. What is wrong
 * in it is left for the schema to say.
 */
export function withBrokerDefaults(document: unknown): unknown {
  if (!isRecord(document) || !isRecord(document['broker'])) return document;
  const { broker, routes } = document;
  const limits = limitsSchema.parse(broker);
  const { protocolVersion, keepaliveSeconds, sessionExpirySeconds } = profileOf(
    limits.profile,
  ).defaults;
  const window = usualWindow(limits);
  return {
    ...document,
    broker: {
      ...defined({ protocolVersion, keepaliveSeconds, sessionExpirySeconds }),
      ...defined(broker),
    },
    ...(Array.isArray(routes) && {
      routes: routes.map((route: unknown) =>
        isRecord(route) ? { window, ...defined(route) } : route,
      ),
    }),
  };
}

/** The settings that a profile has something to say about; a section with faults of its own is absent. */
export interface ProfiledSettings {
  readonly broker?:
    | {
        readonly profile?: ProfileName | undefined;
        readonly protocolVersion: 4 | 5;
        readonly clientIds?: Readonly<Record<string, string>> | undefined;
        readonly keepaliveSeconds: number;
        readonly sessionExpirySeconds: number;
        readonly status?: Pick<StatusSettings, 'topic' | 'qos' | 'retain'> | undefined;
      }
    | undefined;
  readonly routes: readonly (
    | {
        readonly filter: string;
        readonly window?: number | undefined;
        readonly connections: number;
        readonly shareGroup?: string | undefined;
      }
    | undefined
  )[];
  readonly commands?: { readonly window: number } | undefined;
}

/** What the broker of the profile would not keep to. */
export function profileFaults({ broker, routes, commands }: ProfiledSettings): FieldFault[] {
  if (broker?.profile === undefined) return [];
  const { profile: name } = broker;
  const { limits, rules }: Profile = profileOf(name);
  const {
    minKeepaliveSeconds: min,
    maxKeepaliveSeconds: max,
    maxSessionExpirySeconds,
    maxClientIdBytes,
    protocolVersions,
    maxWindow,
    maxPublishWindow,
  } = limits;
  const faults: FieldFault[] = [];
  const check = (isFault: boolean, field: string, rule: string) => {
    if (isFault) faults.push({ field, rule: `${rule} (profile ${name})` });
  };
  check(
    isAbove(min, broker.keepaliveSeconds),
    'broker.keepaliveSeconds',
    `must be at least ${min}`,
  );
  check(isAbove(broker.keepaliveSeconds, max), 'broker.keepaliveSeconds', `must be at most ${max}`);
  check(
    isAbove(broker.sessionExpirySeconds, maxSessionExpirySeconds),
    'broker.sessionExpirySeconds',
    `must be at most ${maxSessionExpirySeconds}: the broker keeps no session longer`,
  );
  check(
    protocolVersions?.includes(broker.protocolVersion) === false,
    'broker.protocolVersion',
    `must be ${protocolVersions?.join(' or ')}: the broker has no other`,
  );
  // Those that are made of prefix and name have 90 bytes at most.
  for (const [id, clientId] of Object.entries(broker.clientIds ?? {}))
    check(
      isAbove(Buffer.byteLength(clientId), maxClientIdBytes),
      `broker.clientIds.${id}`,
      `must be at most ${maxClientIdBytes} bytes in UTF-8: the broker takes no more`,
    );
  // Client ids differ from connection to connection, so the topic's length is not known here, but its levels are.
  for (const { field, rule } of broker.status ? statusFaults(broker.status, rules) : [])
    check(true, `broker.status.${field}`, rule);
  check(
    isAbove(commands?.window, maxPublishWindow),
    'commands.window',
    `must be at most ${maxPublishWindow}: the broker takes no more unacknowledged publishes`,
  );
  for (const [index, route] of routes.entries()) {
    if (route === undefined) continue;
    const at = (field: string) => `routes.${index}.${field}`;
    for (const rule of filterFaults(route.filter, rules)) check(true, at('filter'), rule);
    check(
      isAbove(route.window, maxWindow),
      at('window'),
      `must be at most ${maxWindow}: the broker sends no more unacknowledged messages`,
    );
    check(
      route.connections > 1 && !rules.sharedSubscriptions,
      at('connections'),
      'must be 1: the broker has no shared subscriptions',
    );
    check(
      route.shareGroup !== undefined && !rules.sharedSubscriptions,
      at('shareGroup'),
      'must be left out: the broker has no shared subscriptions',
    );
  }
  return faults;
}

/** What the broker's operator does not allow, by `receiveMaximum` and `maxClients`. */
export function brokerLimitFaults({
  broker,
  routes,
}: {
  readonly broker?:
    | { readonly receiveMaximum?: number | undefined; readonly maxClients?: number | undefined }
    | undefined;
  readonly routes: readonly (
    | { readonly window: number; readonly connections: number }
    | undefined
  )[];
}): FieldFault[] {
  const { receiveMaximum, maxClients } = broker ?? {};
  const faults: FieldFault[] = routes.flatMap((route, index) =>
    isAbove(route?.window, receiveMaximum)
      ? [
          {
            field: `routes.${index}.window`,
            rule: `is above broker.receiveMaximum (${receiveMaximum}): the broker would never fill it`,
          },
        ]
      : [],
  );
  // One client id for each connection of a route, and one for commands. A standby waits for them, it needs none.
  const needed = 1 + routes.reduce((sum, route) => sum + (route?.connections ?? 0), 0);
  if (isAbove(needed, maxClients))
    faults.push({
      field: 'routes',
      rule: `need ${needed} client ids, one for each connection and one for commands, but broker.maxClients is ${maxClients}`,
    });
  return faults;
}

function statusFaults(
  { topic, qos, retain }: Pick<StatusSettings, 'topic' | 'qos' | 'retain'>,
  rules: BrokerRules,
): FieldFault[] {
  return publicationFaults({ topic: statusTopic(topic, 'x'), payloadBytes: 0, qos, retain }, rules);
}

/** The rules of the broker that a config names. */
export function rulesOf({
  profile,
  protocolVersion,
}: {
  readonly profile?: ProfileName | undefined;
  readonly protocolVersion?: 4 | 5 | undefined;
}): BrokerRules {
  const { rules, limits } = profileOf(profile);
  const hasMqtt5 = protocolVersion !== 4 && limits.protocolVersions?.includes(5) !== false;
  return hasMqtt5 ? rules : { ...rules, responseTopics: false };
}

function isAbove(value: number | undefined, limit: number | undefined): boolean {
  return value !== undefined && limit !== undefined && value > limit;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
