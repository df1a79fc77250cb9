// From causeway.config.ts to the bridge's JSON document: sections are spread, so that a setting is named where it is
// defined and nowhere on the way, and a setting that a section has no field for is a type error here. Pure.
import type { brokerSecretsAndFiles } from '../../bridge/config/broker.ts';
import type { BridgeConfigInput } from '../../bridge/config/config.ts';
import type { HandlerInput, handlerSecrets } from '../../bridge/config/handler.ts';
import { secretNamesIn } from '../../bridge/config/secret-names.ts';
import { type AlertsSettings, alertsSchema } from './alerts.ts';
import { type BrokerSettings, brokerSchema } from './broker.ts';
import type { CausewayConfig } from './config.ts';
import type { PresenceRoute } from './presence-routes.ts';
import { type HandlerSettings, type RouteSettings, routeSchema, storageFormOf } from './route.ts';

type BrokerInput = BridgeConfigInput['broker'];
type RouteInput = BridgeConfigInput['routes'][number];

/** `Section` where it has a field for each one of `Of`; else what nothing is assignable to, and names the others. */
type Whole<Section, Of> =
  Exclude<keyof Of, keyof Section> extends never
    ? Section
    : { readonly forgotten: Exclude<keyof Of, keyof Section> };

/** How the bridge reaches our own ingest, and shows who it is. */
export type IngestAccess = Pick<RouteInput, 'url' | 'auth' | 'secret' | 'allowPrivate'>;

/** What of the document no config says: where the parts are, and how long they take. */
export interface Wiring
  extends Pick<Required<BridgeConfigInput>, 'broker' | 'http' | 'drainTimeoutMs'> {
  readonly routes: readonly (RouteSettings | PresenceRoute)[];
  readonly ingest: IngestAccess;
  readonly tableName: string;
  /** Undefined where there is one bridge, and with it `leaseSeconds`. */
  readonly leaseTable: string | undefined;
  readonly leaseSeconds: number | undefined;
  /** Undefined where the container keeps nothing. */
  readonly quarantineFolder: string | undefined;
}

type Sections = Pick<
  CausewayConfig,
  'alerts' | 'deadLetters' | 'retentionDays' | 'writeShards' | 'bridge'
>;

/** What every deployment leaves at its default. */
type LeftAtDefault = 'commands' | 'endSessionsAfterSeconds';

/** The document, but for what {@link LeftAtDefault} names; secrets are in it by name, so that a rotation is seen. */
export function bridgeDocument(
  { alerts, deadLetters, retentionDays, writeShards, bridge }: Sections,
  { routes, ingest, tableName, ...wiring }: Wiring,
) {
  return {
    ...wiring,
    routes: routes.map((route) => routeDocument(route, ingest)),
    quarantineTable: tableName,
    deadLetters,
    alerts,
    traceRetentionDays: retentionDays,
    commandTable: tableName,
    replayTable: tableName,
    replays: { writeShards },
    memoryMiB: bridge.memoryMiB,
  } satisfies Record<Exclude<keyof BridgeConfigInput, LeftAtDefault>, unknown> & BridgeConfigInput;
}

type BrokerDocument = Whole<
  Omit<BrokerSettings, 'allowPlainText'>,
  Omit<BrokerInput, keyof typeof brokerSecretsAndFiles>
>;

/** The section `broker` of the document. */
export function brokerDocument({ allowPlainText: _, ...broker }: BrokerSettings): BrokerDocument {
  return broker;
}

type OwnDocument = Whole<
  Omit<RouteSettings, 'handler' | 'retentionDays' | 'storage'>,
  Omit<RouteInput, keyof HandlerInput | 'ingest'>
>;
type RequestDocument = Whole<
  Omit<HandlerSettings, 'functionArn'>,
  Omit<HandlerInput, keyof typeof handlerSecrets>
>;
type RouteDocument = OwnDocument & (RequestDocument | (IngestAccess & { readonly ingest: true }));

/** What is packed costs the less, the more a request brings: so long it may take to gather them. */
const packedLingerMs = 250;

function routeDocument(route: RouteSettings | PresenceRoute, ingest: IngestAccess): RouteDocument {
  if ('query' in route) {
    const { query, ...own } = route;
    return { ...own, ...ingestDocument(ingest, query) };
  }
  const { handler, retentionDays, storage, ...own } = route;
  if (handler !== undefined) {
    const { functionArn: _, ...request } = handler;
    return { ...own, ...request };
  }
  const query = new URLSearchParams({
    ...(retentionDays !== undefined && { retentionDays: String(retentionDays) }),
    ...(storage !== undefined && { storage }),
  });
  const { maxLingerMs = packedLingerMs } = own;
  return {
    ...own,
    ...(storageFormOf(route) === 'packed' && { maxLingerMs: Math.max(own.lingerMs, maxLingerMs) }),
    ...ingestDocument(ingest, query.toString()),
  };
}

function ingestDocument({ url, ...access }: IngestAccess, query: string) {
  return { ...access, url: query === '' ? url : `${url}?${query}`, ingest: true } as const;
}

/** Names of all secrets that the bridge reads for a broker, for routes, or for alerts, each once. */
export function bridgeSecretNames({
  broker,
  routes = [],
  alerts,
}: {
  readonly broker?: BrokerSettings | undefined;
  readonly routes?: readonly RouteSettings[] | undefined;
  readonly alerts?: AlertsSettings | undefined;
}): string[] {
  const names = [
    ...secretNamesIn(brokerSchema, broker),
    ...routes.flatMap((route) => secretNamesIn(routeSchema, route)),
    ...(alerts === undefined ? [] : secretNamesIn(alertsSchema, alerts)),
  ];
  return [...new Set(names)];
}
