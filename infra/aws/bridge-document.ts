// CAUSEWAY_CONFIG: the bridge's JSON document, made from the config and from what the stack creates. Pure.
import { oneNetSecretName } from '../../bridge/broker/onenet-config.ts';
import { handlerOfBridge } from '../config/route.ts';
import { type CausewayConfig, type RouteSettings, windowOf } from '../config.ts';
import { bridgeRoutes, type PresenceRoute } from '../presence-routes.ts';
import { bridgePort } from './network.ts';
import { drainTimeoutMsOf, leaseSecondsOf } from './timeouts.ts';

/** What the stack creates and the bridge has to know. */
export interface BridgeWiring {
  readonly tableName: string;
  /** Function URL of ingest, with its last slash. */
  readonly ingestUrl: string;
}

/** The document; secrets are in it by name, and the bridge reads them itself, so that it sees a rotation. */
export function bridgeDocument(config: CausewayConfig, { tableName, ingestUrl }: BridgeWiring) {
  const { broker } = config;
  const routes = bridgeRoutes(config);
  return {
    broker: {
      url: broker.url,
      ...(broker.profile !== undefined && { profile: broker.profile }),
      ...(broker.auth !== undefined && { auth: broker.auth }),
      ...(broker.region !== undefined && { region: broker.region }),
      clientIdPrefix: broker.clientIdPrefix,
      clientIds: broker.clientIds,
      ...(broker.onenet !== undefined && { onenet: broker.onenet }),
      protocolVersion: broker.protocolVersion,
      keepaliveSeconds: broker.keepaliveSeconds,
      connectTimeoutMs: broker.connectTimeoutMs,
      sessionExpirySeconds: broker.sessionExpirySeconds,
      cleanSession: broker.cleanSession,
      ...(broker.status !== undefined && { status: broker.status }),
      ...(broker.serverName !== undefined && { serverName: broker.serverName }),
      ...(broker.alpnProtocols !== undefined && { alpnProtocols: broker.alpnProtocols }),
      ...(broker.credentialsSecret !== undefined && {
        credentialsSecret: broker.credentialsSecret,
      }),
      ...(broker.caSecret !== undefined && { caSecret: broker.caSecret }),
      ...(broker.clientCertificateSecret !== undefined && {
        clientCertificateSecret: broker.clientCertificateSecret,
      }),
    },
    http: { host: '0.0.0.0', port: bridgePort },
    routes: routes.map((route) => ({
      name: route.name,
      filter: route.filter,
      ...handlerOf(route, ingestUrl),
      qos: route.qos,
      ...(route.maxBatch !== undefined && { maxBatch: route.maxBatch }),
      maxBatchBytes: route.maxBatchBytes,
      lingerMs: route.lingerMs,
      concurrency: route.concurrency,
      timeoutMs: route.timeoutMs,
      window: windowOf(route, broker),
      maxWindowBytes: route.maxWindowBytes,
      connections: route.connections,
      retry: route.retry,
      rejectTries: route.rejectTries,
      failingMessage: route.failingMessage,
    })),
    quarantineTable: tableName,
    traceRetentionDays: config.retentionDays,
    commandTable: tableName,
    replayTable: tableName,
    replays: { writeShards: config.writeShards },
    leaseTable: tableName,
    leaseSeconds: leaseSecondsOf(routes),
    drainTimeoutMs: drainTimeoutMsOf(routes),
  };
}

function handlerOf(route: RouteSettings | PresenceRoute, ingestUrl: string) {
  if ('query' in route) return { url: `${ingestUrl}?${route.query}`, auth: 'aws-iam' as const };
  const { handler, retentionDays } = route;
  if (handler !== undefined) return handlerOfBridge(handler);
  const query = retentionDays === undefined ? '' : `?retentionDays=${retentionDays}`;
  return { url: `${ingestUrl}${query}`, auth: 'aws-iam' as const };
}

/** Names of all secrets that the bridge reads. */
export function secretNames({ broker, routes }: CausewayConfig): string[] {
  const names = [
    broker.credentialsSecret,
    broker.caSecret,
    broker.clientCertificateSecret,
    oneNetSecretName(broker.onenet),
    ...routes.flatMap(({ handler }) => [
      handler?.secretName,
      handler?.bearerSecret,
      handler?.basicSecret,
    ]),
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}

const defaultPorts: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443,
  'http:': 80,
  'https:': 443,
};

/** TCP ports of broker and webhooks. */
export function targetPorts({ broker, routes }: CausewayConfig): number[] {
  const urls = [broker.url, ...routes.flatMap(({ handler }) => handler?.url ?? [])];
  return urls.map((text) => {
    const { port, protocol } = new URL(text);
    return port === '' ? (defaultPorts[protocol] ?? 443) : Number(port);
  });
}
