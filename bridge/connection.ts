// The network side of a session: one MQTT.js client for each connection, and a new one with full jitter
// when it is gone. MQTT.js's own reconnecting is not used: it has no jitter, stops at a refused CONNACK, and
// carries packet ids and unsent packets from one connection into the next.
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Logger } from 'pino';
import { fullJitterMs } from './backoff.ts';
import type { BrokerConfig } from './config.ts';

export interface ConnectionOptions {
  readonly broker: BrokerConfig;
  readonly clientId: string;
  /** True keeps no session; false keeps one for the configured expiry. */
  readonly clean: boolean;
  /** Most QoS > 0 messages that the broker may send unacknowledged (MQTT 5). */
  readonly receiveMaximum?: number;
}

/** A connection that the broker accepted. */
export interface Link {
  readonly client: MqttClient;
  readonly protocolVersion: 4 | 5;
  /** The broker resumed the session of an earlier connection. */
  readonly sessionPresent: boolean;
  /** Most QoS > 0 messages that the broker takes unacknowledged [MQTT-3.2.2.3.3]. */
  readonly brokerReceiveMaximum: number;
  /** Settles when the connection is gone. */
  readonly closed: Promise<Closed>;
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
  | { readonly kind: 'unreachable'; readonly reason: string; readonly silent: boolean };

/** Tries once to connect. `prepare` gets the client before the first packet can arrive. */
export function connectOnce(
  { broker, clientId, clean, receiveMaximum }: ConnectionOptions,
  protocolVersion: 4 | 5,
  prepare: (client: MqttClient) => void = () => {},
): Promise<ConnectOutcome> {
  const options: IClientOptions = {
    clientId,
    clean,
    protocolVersion,
    keepalive: broker.keepaliveSeconds,
    connectTimeout: broker.connectTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(broker.username !== undefined && { username: broker.username }),
    ...(broker.password !== undefined && { password: broker.password }),
    ...(protocolVersion === 5 && {
      properties: {
        // Without an expiry, MQTT 5 ends the session with the connection even at clean: false.
        ...(!clean && { sessionExpiryInterval: broker.sessionExpirySeconds }),
        ...(receiveMaximum !== undefined && { receiveMaximum }),
      },
    }),
  };
  return new Promise((resolve) => {
    const client = mqtt.connect(broker.url, options);
    prepare(client);
    let reason = 'the broker closed the connection';
    let silent = true;
    let takenOver = false;
    let refused: number | undefined;
    let closing: (closed: Closed) => void = () => {};
    const closed = new Promise<Closed>((settle) => {
      closing = settle;
    });
    client.on('error', (error) => {
      silent = false;
      reason = describe(error);
      const code = 'code' in error ? error.code : undefined;
      if (typeof code === 'number' && !client.connected) refused = code;
    });
    client.on('disconnect', (packet) => {
      takenOver = packet.reasonCode === sessionTakenOver;
      reason = takenOver
        ? 'another client connected with the same client id'
        : `the broker sent DISCONNECT with reason code ${packet.reasonCode ?? 0}`;
    });
    client.on('connect', (connack) => {
      resolve({
        kind: 'connected',
        link: {
          client,
          protocolVersion,
          sessionPresent: connack.sessionPresent,
          brokerReceiveMaximum: connack.properties?.receiveMaximum ?? 65_535,
          closed,
        },
      });
    });
    client.on('close', () => {
      closing({ reason, takenOver });
      client.end(true);
      if (refused === undefined) resolve({ kind: 'unreachable', reason, silent });
      else resolve({ kind: 'refused', code: refused, reason });
    });
  });
}

/** What went wrong, in words; connection errors to several addresses have no message of their own. */
function describe(error: Error): string {
  if (error.message !== '') return error.message;
  const [first] = error instanceof AggregateError ? error.errors : [];
  if (first instanceof Error) return first.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** DISCONNECT reason code "session taken over" [MQTT-3.1.4-3]. */
const sessionTakenOver = 0x8e;

/** CONNACK codes for "unacceptable protocol version": 1 in MQTT 3.1.1, 0x84 in MQTT 5. */
const unsupportedVersionCodes = [0x01, 0x84];

/** So many silent closes in a row let us ask whether the broker has no MQTT 5. */
const silentClosesBeforeTrial = 3;

/**
 * Some brokers close on an MQTT 5 CONNECT without a word; so does a proxy whose broker is away. It is the broker
 * when a trial client gets in with 3.1.1 and, right after that, is closed on with 5.
 */
async function hasOnlyOldVersion(options: ConnectionOptions): Promise<boolean> {
  const trial = { ...options, clientId: `${options.clientId}-trial`, clean: true };
  const old = await connectOnce(trial, 4);
  if (old.kind !== 'connected') return false;
  await disconnect(old.link);
  const recent = await connectOnce(trial, 5);
  if (recent.kind === 'connected') await disconnect(recent.link);
  return recent.kind === 'unreachable' && recent.silent;
}

/** Two clients with one id would throw each other out for ever: the second time in a minute, step back. */
const takeoverMemoryMs = 60_000;
const takeoverBackoffMs = 30_000;
/** So many short connections in a row look like a takeover that nobody mentions. */
const closesBeforeHint = 3;

export interface KeepConnectedOptions extends ConnectionOptions {
  readonly log: Logger;
  readonly prepare?: (client: MqttClient) => void;
  readonly onConnected: (link: Link) => void;
  /** The connection is gone or could not be made; another try follows. */
  readonly onDisconnected: (reason: string) => void;
  readonly signal: AbortSignal;
}

/** Keeps one connection to the broker until `signal` aborts. Resolves when the last connection is closed. */
export async function keepConnected(options: KeepConnectedOptions): Promise<void> {
  const { broker, log, prepare, onConnected, onDisconnected, signal } = options;
  let { protocolVersion } = broker;
  let silentCloses = 0;
  let attempt = 0;
  let lastTakeoverMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    let waitMs = 0;
    const outcome = await connectOnce(options, protocolVersion, prepare);
    if (outcome.kind === 'connected') {
      const startedMs = performance.now();
      const { reason, takenOver } = await untilClosed(outcome.link, onConnected, signal);
      if (signal.aborted) return;
      onDisconnected(reason);
      silentCloses = 0;
      const nowMs = performance.now();
      // A connection that did not last counts as one more failed try, or a broker that drops us is hammered.
      attempt = nowMs - startedMs > 10_000 ? 0 : attempt + 1;
      if (takenOver && nowMs - lastTakeoverMs < takeoverMemoryMs) {
        log.error(
          { clientId: options.clientId },
          'another client uses this client id: waiting half a minute',
        );
        waitMs = takeoverBackoffMs;
      }
      if (takenOver) lastTakeoverMs = nowMs;
      // mosquitto 2.0.11, and every broker on MQTT 3.1.1, takes a session over without a word; the growing
      // back-off has to do then.
      else if (attempt === closesBeforeHint) {
        log.error(
          { clientId: options.clientId },
          'the broker keeps closing: another client may use this client id',
        );
      }
    } else {
      const isSilent = outcome.kind === 'unreachable' && outcome.silent;
      silentCloses = isSilent ? silentCloses + 1 : 0;
      const isUnsupported =
        outcome.kind === 'refused' && unsupportedVersionCodes.includes(outcome.code);
      const asksForTrial = isSilent && silentCloses % silentClosesBeforeTrial === 0;
      if (
        protocolVersion === 5 &&
        (isUnsupported || (asksForTrial && (await hasOnlyOldVersion(options))))
      ) {
        log.warn('the broker has no MQTT 5: using MQTT 3.1.1');
        protocolVersion = 4;
        continue;
      }
      onDisconnected(outcome.reason);
      attempt++;
    }
    waitMs += fullJitterMs(attempt, 250, 30_000);
    await delay(waitMs, undefined, { signal }).catch(() => {});
  }
}

/** Uses a connection until it is gone, or `signal` ends it. */
async function untilClosed(
  link: Link,
  onConnected: (link: Link) => void,
  signal: AbortSignal,
): Promise<Closed> {
  if (signal.aborted) void disconnect(link);
  else onConnected(link);
  const stop = () => void disconnect(link);
  signal.addEventListener('abort', stop, { once: true });
  const closed = await link.closed;
  signal.removeEventListener('abort', stop);
  return closed;
}

/** Sends DISCONNECT after all that was written before it, and waits for the end, at most a second. */
async function disconnect(link: Link): Promise<void> {
  link.client.end();
  const timer = setTimeout(() => link.client.stream.destroy(), 1000);
  await link.closed;
  clearTimeout(timer);
}
