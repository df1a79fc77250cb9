// What MQTT.js is told for one connection.
import type { IClientOptions } from 'mqtt';
import type { Access, Broker } from './access.ts';
import type { Will } from './status.ts';
import type { TlsTry } from './tls-try.ts';

export interface ConnectionOptions {
  readonly broker: Broker;
  readonly clientId: string;
  /** True keeps no session; false keeps one for the configured expiry. */
  readonly clean: boolean;
  /** Maximum QoS > 0 messages that the broker may send unacknowledged (MQTT 5). */
  readonly receiveMaximum?: number;
  readonly will?: Will | undefined;
}

/** MQTT.js's keep-alive is not used: keep-alive.ts. */
const noTimer = { set: () => 0, clear: () => {} };

export function clientOptionsOf(
  { broker, clientId, clean, receiveMaximum, will }: ConnectionOptions,
  protocolVersion: 4 | 5,
  access: Omit<Access, 'url' | 'renewAfterMs'>,
  tls: TlsTry | undefined,
): IClientOptions {
  return {
    ...access,
    ...(tls !== undefined && {
      wsOptions: { createConnection: (of: object) => tls.connect(of) },
    }),
    clientId,
    clean,
    protocolVersion,
    keepalive: broker.keepaliveSeconds,
    connectTimeout: broker.connectTimeoutMs,
    timerVariant: noTimer,
    // So that its stream can be intercepted first.
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(will !== undefined && { will }),
    ...(protocolVersion === 5 && {
      properties: {
        // Without an expiry, MQTT 5 ends the session with the connection even at clean: false.
        ...(!clean && { sessionExpiryInterval: broker.sessionExpirySeconds }),
        ...(receiveMaximum !== undefined && { receiveMaximum }),
      },
    }),
  };
}

/**
 * What MQTT.js makes of a URL otherwise: of a WebSocket's it makes another one, without the brackets of an IPv6 address;
 * and a `clientId` in its query would go before ours, for all connections.
 */
export function urlOptions(url: string): Pick<IClientOptions, 'hostname' | 'query'> {
  const { protocol, hostname } = new URL(url);
  const isWebSocket = protocol === 'ws:' || protocol === 'wss:';
  return { ...(isWebSocket && hostname.startsWith('[') && { hostname }), query: {} };
}
