// Keeps one connection to the broker: another one, with full jitter, when it is gone. MQTT.js's own reconnecting is
// not used: it has no jitter, stops at a refused CONNACK, and carries packet ids and unsent packets from one
// connection into the next.
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import { pause } from '../../functions/contract/pause.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { ConnectionOptions } from './client-options.ts';
import { connectOnce, disconnect } from './connection.ts';
import type { Closed, Connecting, Link } from './link.ts';
import { Status } from './status.ts';

/** CONNACK codes for "unacceptable protocol version": 1 in MQTT 3.1.1, 0x84 in MQTT 5. */
const unsupportedVersionCodes = [0x01, 0x84];

/** So many silent closes in a row let us ask whether the broker has no MQTT 5. */
const silentClosesBeforeTrial = 3;

/**
 * Some brokers close on an MQTT 5 CONNECT without a word; so does a proxy whose broker is away. It is the broker
 * when a trial client gets in with 3.1.1 and, right after that, is closed on with 5.
 */
async function hasOnlyOldVersion(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const trial = { ...options, clientId: `${options.clientId}-trial`, clean: true };
  const old = await connectOnce(trial, 4, undefined, signal);
  if (old.kind !== 'connected') return false;
  await disconnect(old.link);
  const recent = await connectOnce(trial, 5, undefined, signal);
  if (recent.kind === 'connected') await disconnect(recent.link);
  return recent.kind === 'unreachable' && recent.silent;
}

/** Two clients with one id would throw each other out for ever: the second time in a minute, step back. */
const takeoverMemoryMs = 60_000;
const takeoverBackoffMs = 30_000;
/** So many short connections in a row look like a takeover that nobody mentions. */
const closesBeforeHint = 3;

export interface KeepConnectedOptions extends Omit<ConnectionOptions, 'will'> {
  /** Stands in the topic of the status, where the client id is another one for each process. */
  readonly statusName?: string;
  readonly log: Logger;
  readonly prepare?: (connection: Connecting) => void;
  readonly onConnected: (link: Link) => void;
  /**
   * The connection is gone or could not be made; another try follows. `isRenewal` says that this side has ended it in
   * time, as what was shown to the broker expires.
   */
  readonly onDisconnected: (reason: string, isRenewal: boolean) => void;
  /** Waited for before each try: resolves when a connection is wanted. */
  readonly untilWanted?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /**
   * Whether the last connection may have ended on what this side sent, and will not send there again: then it is no sign
   * of a broker in trouble, and nobody has to wait longer for the next one. Asked after `onDisconnected`.
   */
  readonly isExplained?: () => boolean;
  readonly signal: AbortSignal;
}

/** Keeps one connection to the broker until `signal` aborts. Resolves when the last connection is closed. */
export async function keepConnected(options: KeepConnectedOptions): Promise<void> {
  const { broker, clientId, log, prepare, onDisconnected, signal } = options;
  const { minReconnectMs = 0 } = profileOf(broker.profile).limits;
  const status =
    broker.status &&
    new Status({
      settings: broker.status,
      name: options.statusName ?? clientId,
      keepaliveSeconds: broker.keepaliveSeconds,
      log,
    });
  let { protocolVersion } = broker;
  let silentCloses = 0;
  let attempt = 0;
  let lastTakeoverMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    await options.untilWanted?.(signal);
    if (signal.aborted) return;
    let waitMs = 0;
    const will = status?.willForNextTry();
    const outcome = await connectOnce({ ...options, will }, protocolVersion, prepare, signal);
    if (outcome.kind === 'connected') {
      const startedMs = performance.now();
      const { reason, takenOver, isRenewal } = await untilClosed(outcome.link, options, status);
      if (signal.aborted) return;
      onDisconnected(reason, isRenewal);
      silentCloses = 0;
      if (isRenewal) continue;
      const nowMs = performance.now();
      // A connection that did not last counts as one more failed try, or a broker that drops us is hammered.
      const isTrouble = nowMs - startedMs <= 10_000 && options.isExplained?.() !== true;
      attempt = isTrouble ? attempt + 1 : 0;
      if (takenOver && nowMs - lastTakeoverMs < takeoverMemoryMs) {
        log.error({ clientId }, 'another client uses this client id: waiting half a minute');
        waitMs = takeoverBackoffMs;
      }
      if (takenOver) lastTakeoverMs = nowMs;
      // mosquitto 2.0.11, and every broker on MQTT 3.1.1, takes a session over without a word; the growing
      // back-off has to do then.
      else if (attempt === closesBeforeHint) {
        log.error({ clientId }, 'the broker keeps closing: another client may use this client id');
      }
    } else {
      if (signal.aborted) return;
      const isSilent = outcome.kind === 'unreachable' && outcome.silent;
      silentCloses = isSilent ? silentCloses + 1 : 0;
      const isUnsupported =
        outcome.kind === 'refused' && unsupportedVersionCodes.includes(outcome.code);
      const asksForTrial = isSilent && silentCloses % silentClosesBeforeTrial === 0;
      if (
        protocolVersion === 5 &&
        (isUnsupported || (asksForTrial && (await hasOnlyOldVersion(options, signal))))
      ) {
        log.warn('the broker has no MQTT 5: using MQTT 3.1.1');
        protocolVersion = 4;
        continue;
      }
      status?.failed(outcome);
      onDisconnected(outcome.reason, false);
      attempt++;
    }
    waitMs = Math.max(waitMs + fullJitterMs(attempt, 250, 30_000), minReconnectMs);
    await pause(waitMs, signal);
  }
}

/** Uses a connection until it is gone, has to be renewed, or `signal` ends it. */
async function untilClosed(
  link: Link,
  { broker, clientId, onConnected, signal }: KeepConnectedOptions,
  status: Status | undefined,
): Promise<Closed & { readonly isRenewal: boolean }> {
  const unfollow = broker.certificates?.follow(clientId, link.certificates);
  const stop = () => {
    status?.leave(link);
    void disconnect(link);
  };
  if (signal.aborted) stop();
  else if (status === undefined) onConnected(link);
  else
    void status.announce(link).then(() => {
      if (link.client.connected && !signal.aborted) onConnected(status.sharing(link));
    });
  signal.addEventListener('abort', stop, { once: true });
  let isRenewal = false;
  const renew = () => {
    isRenewal = true;
    void disconnect(link);
  };
  const renewal =
    link.renewAtMs === undefined
      ? undefined
      : setTimeout(renew, Math.max(0, link.renewAtMs - performance.now()));
  const closed = await link.closed;
  clearTimeout(renewal);
  unfollow?.();
  signal.removeEventListener('abort', stop);
  return { ...closed, isRenewal };
}
