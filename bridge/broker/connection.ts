// One connection to the broker: one MQTT.js client, from CONNECT to its end. keep-connected.ts makes the next one.
import { TLSSocket } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type Access, accessTo, type Broker, doubtAccess } from './access.ts';
import type { CertificateInUse } from './certificate-expiry.ts';
import { beforeConnack, describe } from './end-reason.ts';
import type { Will } from './status.ts';
import { openTls, type TlsTry } from './tls-try.ts';

export interface ConnectionOptions {
  readonly broker: Broker;
  readonly clientId: string;
  /** True keeps no session; false keeps one for the configured expiry. */
  readonly clean: boolean;
  /** Most QoS > 0 messages that the broker may send unacknowledged (MQTT 5). */
  readonly receiveMaximum?: number;
  readonly will?: Will | undefined;
}

/** What a broker takes, by its CONNACK [MQTT-3.2.2.3]. */
export interface BrokerLimits {
  /** Most QoS > 0 messages unacknowledged. */
  readonly receiveMaximum: number;
  /** Largest packet in bytes; undefined where it announced none. */
  readonly maximumPacketSize: number | undefined;
  readonly maximumQoS: number;
  readonly retainAvailable: boolean;
}

/** A connection that the broker accepted. */
export interface Link {
  readonly client: MqttClient;
  readonly protocolVersion: 4 | 5;
  /** The broker resumed the session of an earlier connection. */
  readonly sessionPresent: boolean;
  /** What the broker announced that it takes; no limits on MQTT 3.1.1. */
  readonly broker: BrokerLimits;
  /** Settles when the connection is gone. */
  readonly closed: Promise<Closed>;
  /** The certificates that it rests on; none without TLS. */
  readonly certificates: readonly CertificateInUse[];
  /** When it has to be made anew, by performance.now(); undefined where nothing that was shown expires. */
  readonly renewAtMs?: number | undefined;
}

export interface Closed {
  /** Why, in words. */
  readonly reason: string;
  /** The broker said that another client has connected with the same client id (MQTT 5). */
  readonly takenOver: boolean;
}

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly link: Link }
  /** The broker answered CONNECT with an error code. */
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string }
  /** No CONNACK: name, network, TLS or time; `silent` where the broker closed without a word. */
  | {
      readonly kind: 'unreachable';
      readonly reason: string;
      readonly silent: boolean;
      /** TLS did not come about, for a certificate of either side. */
      readonly untrusted?: boolean;
    };

/** CONNACK codes on user name, password and rights: two of MQTT 3.1.1, and those of MQTT 5. */
const authenticationCodes = [0x04, 0x05, 0x86, 0x87, 0x8a, 0x8c];

/** Whether the broker may have refused what was shown to it. Some close instead of saying so [MQTT-3.1.4-2]. */
function isDoubtful(outcome: ConnectOutcome): boolean {
  if (outcome.kind === 'refused') return authenticationCodes.includes(outcome.code);
  return outcome.kind === 'unreachable' && (outcome.silent || outcome.untrusted === true);
}

/** Codes of OpenSSL and Node; with TLS 1.3 a refused client certificate can show as a reset. */
const untrustedCodes =
  /^(ECONNRESET|EPROTO|ERR_(SSL|TLS|OSSL)_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_)/;

/**
 * Tries once to connect. `prepare` gets the client before the first packet can arrive; an abort of `signal` ends
 * the try, and does nothing to a connection that is made.
 */
export async function connectOnce(
  options: ConnectionOptions,
  protocolVersion: 4 | 5,
  prepare: (client: MqttClient) => void = () => {},
  signal?: AbortSignal,
): Promise<ConnectOutcome> {
  const { broker } = options;
  try {
    const {
      url = broker.url,
      renewAfterMs,
      ...access
    } = await unlessAborted(accessTo(broker, options.clientId), signal);
    const tls = openTls(url, access, broker);
    const clientOptions = clientOptionsOf(options, protocolVersion, access, tls);
    // From before it connects: what is shown ages meanwhile.
    const renewAtMs = renewAfterMs === undefined ? undefined : performance.now() + renewAfterMs;
    const outcome = await connect(url, clientOptions, tls, prepare, signal);
    if (isDoubtful(outcome)) doubtAccess(broker);
    return outcome.kind === 'connected'
      ? { kind: 'connected', link: { ...outcome.link, renewAtMs } }
      : outcome;
  } catch (error) {
    // A file or secret that cannot be read, or is not what it has to be.
    doubtAccess(broker);
    return { kind: 'unreachable', reason: describe(error), silent: false };
  }
}

function clientOptionsOf(
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

function connect(
  url: string,
  options: IClientOptions,
  tls: TlsTry | undefined,
  prepare: (client: MqttClient) => void,
  signal: AbortSignal | undefined,
): Promise<ConnectOutcome> {
  return new Promise((resolve) => {
    const client = mqtt.connect(url, { ...options, ...urlOptions(url) });
    if (client.stream instanceof TLSSocket) tls?.watch(client.stream);
    prepare(client);
    let reason = 'the broker closed the connection';
    let failure: Error | undefined;
    let isConnected = false;
    let silent = true;
    let untrusted = false;
    let takenOver = false;
    let refused: number | undefined;
    let closing: (closed: Closed) => void = () => {};
    const closed = new Promise<Closed>((settle) => {
      closing = settle;
    });
    const giveUp = () => {
      client.end(true);
      resolve({ kind: 'unreachable', reason: 'stopped', silent: false });
    };
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    client.on('error', (error) => {
      silent = false;
      failure = error;
      reason = describe(error);
      const code = 'code' in error ? error.code : undefined;
      if (typeof code === 'number' && !client.connected) refused = code;
      untrusted = typeof code === 'string' && untrustedCodes.test(code);
    });
    // MQTT.js passes on errors with a code alone; a WebSocket that is refused has none.
    client.stream.on('error', (error) => {
      failure = error;
    });
    client.on('disconnect', (packet) => {
      takenOver = packet.reasonCode === sessionTakenOver;
      reason = takenOver
        ? 'another client connected with the same client id'
        : `the broker sent DISCONNECT with reason code ${packet.reasonCode ?? 0}`;
    });
    client.on('connect', (connack) => {
      isConnected = true;
      signal?.removeEventListener('abort', giveUp);
      resolve({
        kind: 'connected',
        link: {
          client,
          protocolVersion: options.protocolVersion === 4 ? 4 : 5,
          sessionPresent: connack.sessionPresent,
          broker: {
            receiveMaximum: connack.properties?.receiveMaximum ?? 65_535,
            maximumPacketSize: connack.properties?.maximumPacketSize,
            maximumQoS: connack.properties?.maximumQoS ?? 2,
            retainAvailable: connack.properties?.retainAvailable ?? true,
          },
          closed,
          certificates: tls?.certificatesInUse() ?? [],
        },
      });
    });
    client.on('close', () => {
      signal?.removeEventListener('abort', giveUp);
      if (!isConnected && refused === undefined) reason = beforeConnack(failure, tls);
      closing({ reason, takenOver });
      client.end(true);
      if (refused === undefined) resolve({ kind: 'unreachable', reason, silent, untrusted });
      else resolve({ kind: 'refused', code: refused, reason });
    });
  });
}

/**
 * What MQTT.js makes of a URL otherwise: of a WebSocket's it makes another one, without the brackets of an IPv6 address;
 * and a `clientId` in its query would go before ours, for all connections.
 */
function urlOptions(url: string): Pick<IClientOptions, 'hostname' | 'query'> {
  const { protocol, hostname } = new URL(url);
  const isWebSocket = protocol === 'ws:' || protocol === 'wss:';
  return { ...(isWebSocket && hostname.startsWith('[') && { hostname }), query: {} };
}

/** What `promise` gives; rejects when `signal` aborts first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** DISCONNECT reason code "session taken over" [MQTT-3.1.4-3]. */
const sessionTakenOver = 0x8e;

/** Sends DISCONNECT after all that was written before it, and waits for the end, at most a second. */
export async function disconnect(link: Link): Promise<void> {
  link.client.end();
  const timer = setTimeout(() => link.client.stream.destroy(), 1000);
  await link.closed;
  clearTimeout(timer);
}
