// What a profile makes of a config: values for settings that it leaves out, and the faults of those that the broker
// would not keep to. Pure; for the bridge's document and for the config of a deployment.
import {
  type BrokerRules,
  filterFaults,
  publicationFaults,
} from '../../functions/contract/broker-rules.ts';
import type { FieldFault } from '../../functions/contract/problem.ts';
import { type StatusSettings, statusTopic } from '../broker/status.ts';
import type { Profile } from './profile.ts';
import { type ProfileName, profileName, profileOf } from './profiles.ts';

/** A document with the defaults of the profile that it names; what is wrong in it is left for the schema to say. */
export function withProfile(document: unknown): unknown {
  if (!isRecord(document) || !isRecord(document['broker'])) return document;
  const { broker, routes } = document;
  const name = profileName.safeParse(broker['profile']);
  if (!name.success) return document;
  const { protocolVersion, keepaliveSeconds, sessionExpirySeconds, window } = profileOf(
    name.data,
  ).defaults;
  return {
    ...document,
    broker: {
      ...defined({ protocolVersion, keepaliveSeconds, sessionExpirySeconds }),
      ...defined(broker),
    },
    ...(Array.isArray(routes) && {
      routes: routes.map((route: unknown) =>
        isRecord(route) ? { ...defined({ window }), ...defined(route) } : route,
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
  }
  return faults;
}

function statusFaults(
  { topic, qos, retain }: Pick<StatusSettings, 'topic' | 'qos' | 'retain'>,
  rules: BrokerRules,
): FieldFault[] {
  return publicationFaults({ topic: statusTopic(topic, 'x'), payloadBytes: 0, qos, retain }, rules);
}

/** The rules of the broker that a config names. */
export function rulesOf(profile: ProfileName | undefined): BrokerRules {
  return profileOf(profile).rules;
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
