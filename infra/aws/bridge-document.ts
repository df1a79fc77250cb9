// CAUSEWAY_CONFIG: the bridge's JSON document on AWS, with what the stack creates. It is in the task definition, which has
// 64 KB, so what the bridge does by default is not in it. Pure.
import { isDeepStrictEqual } from 'node:util';
import { usualWindow } from '../../bridge/config/profile-settings.ts';
import { routeSchema } from '../../bridge/config/route.ts';
import { bridgeDocument, brokerDocument } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { bridgeRoutes } from '../config/presence-routes.ts';
import { bridgePort } from './network.ts';
import { drainTimeoutMsOf, leaseSecondsOf } from './timeouts.ts';

/** What the stack creates and the bridge has to know. */
export interface BridgeWiring {
  readonly tableName: string;
  /** URL that invokes ingest. */
  readonly ingestUrl: string;
}

export function awsBridgeDocument(config: CausewayConfig, { tableName, ingestUrl }: BridgeWiring) {
  const routes = bridgeRoutes(config);
  const document = bridgeDocument(config, {
    broker: brokerDocument(config.broker),
    http: { host: '0.0.0.0', port: bridgePort },
    routes,
    // In a VPC with an interface endpoint for Lambda, its name leads to a private address.
    ingest: { url: ingestUrl, auth: 'aws-iam', allowPrivate: true },
    tableName,
    leaseTable: tableName,
    leaseSeconds: leaseSecondsOf(routes),
    quarantineFolder: undefined,
    drainTimeoutMs: drainTimeoutMsOf(routes),
  });
  return { ...document, routes: withoutDefaults(document) };
}

type WholeDocument = ReturnType<typeof bridgeDocument>;

const required = { name: 'any', filter: '#', url: 'https://any.example.com' };

/** The routes without what the bridge takes for them where it is told nothing: of 100 routes, a third of the text is left. */
function withoutDefaults({ broker, routes }: WholeDocument) {
  const { name: _name, filter: _filter, url: _url, ...fields } = routeSchema.parse(required);
  const defaults: Readonly<Record<string, unknown>> = { ...fields, window: usualWindow(broker) };
  return routes.map(({ name, filter, url, ...route }) => {
    const own = Object.entries(route).filter(
      ([field, value]) => !isDeepStrictEqual(value, defaults[field]),
    );
    return { name, filter, url, ...(Object.fromEntries(own) as Partial<typeof route>) };
  });
}

/** What is left for the rest of the task definition is about 4 KB. */
const maxDocumentBytes = 56 * 1024;

/** What is wrong with the size of a document; undefined where nothing is. */
export function sizeFault(document: ReturnType<typeof awsBridgeDocument>): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes <= maxDocumentBytes) return undefined;
  const kilobytes = Math.ceil(bytes / 1024);
  return `routes: take ${kilobytes} KB, and a task definition has room for 56: have fewer, or shorter filters, headers and expressions`;
}

const defaultPorts: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443,
  'http:': 80,
  'https:': 443,
};

/** TCP ports of broker, webhooks and alerts. */
export function targetPorts({ broker, routes, alerts, bridge }: CausewayConfig): number[] {
  const handlers = routes.flatMap(({ handler }) => handler?.url ?? []);
  const others = [alerts?.url, bridge.traces?.endpoint].filter((url) => url !== undefined);
  const urls = [broker.url, ...handlers, ...others];
  return urls.map((text) => {
    const { port, protocol } = new URL(text);
    return port === '' ? (defaultPorts[protocol] ?? 443) : Number(port);
  });
}
