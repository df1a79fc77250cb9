// CONNECT and the answer to it.
import type { Logger } from 'pino';
import { type ConnackProperties, connack } from '../packets/answers.ts';
import { type Connect, readConnect, type Will } from '../packets/connect.ts';
import type { Frame } from '../packets/frames.ts';
import { ownMessage } from '../packets/message.ts';
import { Reason } from '../packets/reasons.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Store } from '../store/broker-store.ts';
import { type DelayedWill, keepRecord } from '../store/records.ts';
import type { Counters } from '../telemetry/counters.ts';
import { type Admission, type Admitted, type Refused, refusalCodes } from './admission.ts';
import type { Connection } from './connection.ts';
import { Delivering } from './delivering.ts';
import { topicAliasMaximum } from './publishing.ts';

export interface ConnectingParts {
  readonly admission: Admission;
  readonly store: Store;
  readonly limits: BrokerSettings['limits'];
  readonly counters: Counters;
  readonly log: Logger;
}

/** Decides on a CONNECT and answers it; `onOpen` is called where the client has been let in and has its CONNACK. */
export async function connect(
  parts: ConnectingParts,
  connection: Connection,
  frame: Frame,
  onOpen: () => void,
): Promise<void> {
  const { admission } = parts;
  connection.state = 'admitting';
  const packet = readConnect(frame);
  if ('rule' in packet) {
    const unsupported = packet.reason === Reason.unsupportedProtocolVersion;
    if (packet.version === 5) connection.link.send(connack(5, packet.reason));
    else if (packet.version !== undefined && unsupported) connection.link.send(connack(4, 1));
    return connection.fail(packet);
  }
  const refused = await admission.admit(connection, packet, async (admitted) => {
    open(parts, connection, packet, admitted);
    await keepRecord(parts.store, connection);
    if (connection.state !== 'admitting') return;
    const properties =
      packet.version === 5
        ? connackProperties(parts, packet, admitted, connection.client.keepAliveSeconds)
        : undefined;
    const answer = connack(packet.version, 0, admitted.sessionPresent, properties);
    if (answer.length > packet.maximumPacketSize)
      return { refusal: 'full', why: 'the client takes no packet so large as CONNACK' };
    connection.state = 'open';
    connection.link.send(answer);
    onOpen();
    return undefined;
  });
  if (refused !== undefined) refuse(parts, connection, packet, refused);
}

function open(
  { admission, limits, counters }: ConnectingParts,
  connection: Connection,
  packet: Connect,
  { clientId, user, rights, session }: Admitted,
): void {
  const { version, clean } = packet;
  const keepAliveSeconds = keepAliveOf(packet, limits.maxKeepAliveSeconds);
  const delivering = new Delivering(connection.link, packet, counters);
  connection.link.memory = admission.memoryOf(user);
  connection.admitted({
    clientId,
    user,
    rights,
    version,
    clean,
    keepAliveSeconds,
    session,
    delivering,
  });
  connection.will = packet.will && willOf(packet.will);
}

function refuse(
  { counters, log }: ConnectingParts,
  connection: Connection,
  { version, clientId, maximumPacketSize }: Connect,
  { refusal, why }: Refused,
): void {
  const counter = {
    'client-id-refused': 'refusedClientId',
    'server-unavailable': 'refusedUnavailable',
    full: 'refusedUnavailable',
    'bad-user-or-password': 'refusedPassword',
    'not-authorized': 'refusedNotAuthorized',
    'bad-method': 'refusedNotAuthorized',
  } as const;
  counters[counter[refusal]]++;
  log.info({ ...connection.origin, clientId, why }, 'a client was refused');
  const [returnCode, reason] = refusalCodes[refusal];
  const answer = connack(version, version === 5 ? reason : returnCode);
  if (answer.length <= maximumPacketSize) connection.link.send(answer);
  connection.close({ reason: 'error', detail: why });
}

/** What the server does not do in the way that MQTT 5 supposes. */
function connackProperties(
  { limits }: ConnectingParts,
  packet: Connect,
  { assigned, clientId, session }: Admitted,
  keepAliveSeconds: number,
): ConnackProperties {
  const expiryChanged = session.expirySeconds !== packet.sessionExpirySeconds;
  return {
    topicAliasMaximum,
    maximumPacketSize: limits.maxPacketBytes,
    receiveMaximum: limits.maxIncomingInflight,
    ...(assigned && { assignedClientIdentifier: clientId }),
    ...(expiryChanged && { sessionExpiryInterval: session.expirySeconds }),
    ...(keepAliveSeconds !== packet.keepAliveSeconds && { serverKeepAlive: keepAliveSeconds }),
  };
}

/** Before MQTT 5 a client cannot be told another. */
function keepAliveOf({ version, keepAliveSeconds }: Connect, max: number): number {
  if (version !== 5 || max === 65_535) return keepAliveSeconds;
  return keepAliveSeconds === 0 ? max : Math.min(keepAliveSeconds, max);
}

function willOf({
  topic,
  payload,
  qos,
  retain,
  properties,
  expirySeconds,
  delaySeconds,
}: Will): DelayedWill {
  const message = { topic, payload, qos, retain, ...(properties && { properties }) };
  return { message: ownMessage(message), expirySeconds, delaySeconds };
}
