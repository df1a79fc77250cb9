// The config's section `presence`, and the bridge's routes that it makes: they bring what tells who is online to ingest.
import * as z from 'zod';
import { type BrokerLimits, usualWindow } from '../../bridge/config/profile-settings.ts';
import { profileOf } from '../../bridge/config/profiles/profiles.ts';
import { routeFields } from '../../bridge/config/route.ts';
import { presenceSources } from '../../functions/contract/presence.ts';
import {
  lastWillFaults,
  maxFormLength,
  type PresenceFeed,
  presenceQuery,
} from '../../functions/contract/presence-feed.ts';
import type { AlertsSettings } from './alerts.ts';
import { ownFields, type RouteSettings } from './route.ts';

const placeholder = '{clientId}';

const lastWillSchema = z
  .strictObject({
    topic: z
      .string()
      .max(maxFormLength)
      .default('devices/{clientId}/status')
      .describe('Topic on which clients say whether they are online, with `{clientId}` as a level'),
    online: z.string().default('online').describe('Payload of a client that is online'),
    offline: z.string().default('offline').describe('Payload of its last will'),
  })
  .superRefine((lastWill, context) => {
    const fault = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (/[+#]/.test(lastWill.topic) || !lastWill.topic.split('/').includes(placeholder))
      fault('topic', `must have no wildcards, and ${placeholder} as one whole level`);
    else
      for (const { field, rule } of lastWillFaults(formOf(lastWill)))
        fault(field === 'filter' ? 'topic' : field, rule);
  });

function formOf({ topic, online, offline }: Record<'topic' | 'online' | 'offline', string>) {
  return { filter: topic.replaceAll(placeholder, '+'), online, offline };
}

export const presenceSchema = z.strictObject({
  source: z
    .enum(presenceSources)
    .optional()
    .describe(
      'Who tells which clients are online: `embedded` or another broker, or the devices by their `last-will`; as `broker.profile` has it by default',
    ),
  filters: z
    .array(routeFields.shape.filter)
    .min(1)
    .max(8)
    .optional()
    .describe("Topic filters of a broker's presence messages, where they are not the usual ones"),
  lastWill: lastWillSchema.prefault({}),
});

export type PresenceSettings = z.output<typeof presenceSchema>;

/** A route for presence messages. */
export interface PresenceRoute extends z.output<typeof ownFields> {
  /** Of the ingest URL, without `?`. */
  readonly query: string;
}

/** Whether a name is that of a presence route: `npm start` always has one, so no other route has it. */
export function isPresenceRouteName(name: string): boolean {
  return /^presence(-\d+)?$/.test(name);
}

/** What the embedded broker of `npm start` tells. */
export const embeddedPresence: PresenceSettings = {
  ...presenceSchema.parse({}),
  source: 'embedded',
};

/** The routes: `presence`, or `presence-1` and so on where several filters are needed. None without the section. */
export function presenceRoutes(
  presence: PresenceSettings | undefined,
  broker: BrokerLimits,
  alerts?: AlertsSettings | undefined,
): PresenceRoute[] {
  if (presence === undefined) return [];
  const source = presence.source ?? profileOf(broker.profile).presence.kind;
  const feed: PresenceFeed =
    source === 'last-will' ? { source, ...formOf(presence.lastWill) } : { source };
  const filters =
    feed.source === 'last-will'
      ? [feed.filter]
      : (presence.filters ?? profileOf(feed.source).presence.filters);
  return filters.map((filter, index) => ({
    ...ownFields.parse({
      name: filters.length === 1 ? 'presence' : `presence-${index + 1}`,
      filter,
      window: usualWindow(broker),
      // An event has about 300 bytes: 10,000 of them.
      maxWindowBytes: 4 * 1024 * 1024,
    }),
    // Of clients that are offline the bridge learns by the receipts.
    query: `${presenceQuery(feed)}${alerts?.clients.length ? '&receipt=clients' : ''}`,
  }));
}

/** All routes of the bridge: those of the config, and those that presence needs. */
export function bridgeRoutes({
  routes,
  presence,
  broker,
  alerts,
}: {
  readonly routes: readonly RouteSettings[];
  readonly presence?: PresenceSettings | undefined;
  readonly broker: BrokerLimits;
  readonly alerts?: AlertsSettings | undefined;
}): (RouteSettings | PresenceRoute)[] {
  // The ingest function ends its requests before the shortest wait for one that stores messages: no use in a longer one.
  const waitsMs = routes.flatMap(({ handler, timeoutMs }) => (handler ? [] : [timeoutMs]));
  const added = presenceRoutes(presence, broker, alerts).map((route) => ({
    ...route,
    timeoutMs: Math.min(route.timeoutMs, ...waitsMs),
  }));
  return [...routes, ...added];
}
