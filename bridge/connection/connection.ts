// One connection to the broker: one MQTT.js client, from CONNECT to its end. keep-connected.ts makes the next one.

import { TLSSocket } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import '../base/mqtt-packet.ts';
import { connackText, reasonText } from '../packets/reason-codes.ts';
import { accessTo, type Broker, doubtAccess } from './access.ts';
import { type ConnectionOptions, clientOptionsOf, urlOptions } from './client-options.ts';
import { beforeConnack, describe } from './end-reason.ts';
import { Incoming } from './incoming.ts';
import { startKeepAlive } from './keep-alive.ts';
import type { Closed, Connecting, ConnectOutcome, Link } from './link.ts';
import { openTls, type TlsTry } from './tls-try.ts';
import { closingMs } from './waits.ts';

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

/** Brokers that have answered in MQTT once. */
const answered = new WeakSet<Broker>();

/**
 * Tries once to connect. `prepare` gets the connection before the first packet can arrive; an abort of `signal` ends
 * the try, and does nothing to a connection that is made.
 */
export async function connectOnce(
  options: ConnectionOptions,
  protocolVersion: 4 | 5,
  prepare: (connection: Connecting) => void = () => {},
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
    const outcome = await connect(url, broker, clientOptions, tls, prepare, signal);
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

function connect(
  url: string,
  broker: Broker,
  options: IClientOptions,
  tls: TlsTry | undefined,
  prepare: (connection: Connecting) => void,
  signal: AbortSignal | undefined,
): Promise<ConnectOutcome> {
  return new Promise((resolve) => {
    const protocolVersion = options.protocolVersion === 4 ? 4 : 5;
    const incoming = new Incoming(protocolVersion);
    const client = mqtt.connect(url, { ...options, ...urlOptions(url) });
    const build = client['streamBuilder'];
    client['streamBuilder'] = (of: MqttClient) => {
      const stream = build(of);
      incoming.intercept(stream);
      return stream;
    };
    prepare({ client, incoming });
    client.connect();
    if (client.stream instanceof TLSSocket) tls?.watch(client.stream);
    let reason = 'the broker closed the connection';
    let failure: Error | undefined;
    let isConnected = false;
    let silent = true;
    let untrusted = false;
    let takenOver = false;
    let refused: number | undefined;
    let ended = false;
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
    /** The first reason is the cause; what is said after it is about the end. */
    const endFor = (why: string) => {
      if (ended) return;
      ended = true;
      silent = false;
      reason = why;
      failure = new Error(why);
    };
    incoming.onFault = (fault) => {
      endFor(fault);
      // Nothing follows our DISCONNECT [MQTT-3.14.4-1].
      client.disconnecting = true;
    };
    client.on('error', (error) => {
      if (ended) return;
      silent = false;
      failure =
        error.message === 'connack timeout'
          ? new Error(`the broker has not answered CONNECT in ${broker.connectTimeoutMs} ms`)
          : error;
      reason = describe(failure);
      const code = 'code' in error ? error.code : undefined;
      if (typeof code === 'number' && !client.connected) {
        refused = code;
        reason = `the broker refused the connection with ${connackText(code)}`;
      }
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
        : `the broker sent DISCONNECT with ${reasonText(packet.reasonCode ?? 0)}`;
    });
    client.on('connect', (connack) => {
      isConnected = true;
      answered.add(broker);
      const stopKeepAlive = startKeepAlive({
        seconds: connack.properties?.serverKeepAlive ?? broker.keepaliveSeconds,
        incoming,
        ping: () => client.disconnecting || client.sendPing(),
        onDead: (why) => incoming.end(why),
      });
      client.once('close', stopKeepAlive);
      signal?.removeEventListener('abort', giveUp);
      resolve({
        kind: 'connected',
        link: {
          client,
          incoming,
          protocolVersion,
          sessionPresent: connack.sessionPresent,
          sessionExpirySeconds: connack.properties?.sessionExpiryInterval,
          broker: {
            receiveMaximum: connack.properties?.receiveMaximum ?? 65_535,
            maximumPacketSize: connack.properties?.maximumPacketSize,
            maximumQoS: connack.properties?.maximumQoS ?? 2,
            retainAvailable: connack.properties?.retainAvailable ?? true,
          },
          answerTimeoutMs: broker.connectTimeoutMs,
          closed,
          certificates: tls?.certificatesInUse() ?? [],
        },
      });
    });
    client.on('close', () => {
      signal?.removeEventListener('abort', giveUp);
      if (!isConnected && refused === undefined && !ended)
        reason = beforeConnack(failure, tls, answered.has(broker));
      closing({ reason, takenOver });
      client.disconnecting = false;
      client.end(true);
      if (refused === undefined) resolve({ kind: 'unreachable', reason, silent, untrusted });
      else resolve({ kind: 'refused', code: refused, reason });
    });
  });
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

/** Sends DISCONNECT after all that was written before it, and waits for the end. */
export async function disconnect(link: Link): Promise<void> {
  link.client.end();
  const timer = setTimeout(() => link.client.stream.destroy(), closingMs);
  await link.closed;
  clearTimeout(timer);
}
