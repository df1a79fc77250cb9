// What each packet of a connected client means.
import { acknowledgement, pingresp } from '../packets/answers.ts';
import { protocolError } from '../packets/cursor.ts';
import { type Frame, isFault, Type } from '../packets/frames.ts';
import { Reason } from '../packets/reasons.ts';
import { authFault, pingFault, readAcknowledgement, readDisconnect } from '../packets/requests.ts';
import type { Acknowledged } from '../session/inflight.ts';
import type { Connection } from './connection.ts';
import type { Publishing } from './publishing.ts';
import type { Subscribing } from './subscribing.ts';

export interface Handlers {
  readonly publishing: Publishing;
  readonly subscribing: Subscribing;
}

/** False where the next packet has to wait. */
export function handlePacket(handlers: Handlers, connection: Connection, frame: Frame): boolean {
  handle(handlers, connection, frame);
  return handlers.publishing.mayRead(connection);
}

function handle({ publishing, subscribing }: Handlers, connection: Connection, frame: Frame): void {
  switch (frame.type) {
    case Type.publish:
      return publishing.received(connection, frame);
    case Type.pubrel:
      return publishing.released(connection, frame);
    case Type.puback:
    case Type.pubcomp:
      return acknowledged(connection, frame);
    case Type.pubrec:
      return received(connection, frame);
    case Type.subscribe:
      return subscribing.subscribe(connection, frame);
    case Type.unsubscribe:
      return subscribing.unsubscribe(connection, frame);
    case Type.pingreq: {
      const fault = pingFault(frame);
      return fault === undefined ? connection.link.send(pingresp) : connection.fail(fault);
    }
    case Type.disconnect:
      return disconnected(connection, frame);
    default:
      return connection.fail(authFault);
  }
}

const wrong = (packetId: number) =>
  protocolError(
    `the message ${packetId} wants another acknowledgement [MQTT-4.3.2-1] [MQTT-4.3.3-1]`,
  );

function acknowledged(connection: Connection, frame: Frame): void {
  const { version, session } = connection.client;
  const packet = readAcknowledgement(frame, version);
  if (isFault(packet)) return connection.fail(packet);
  const kind = frame.type === Type.puback ? 'puback' : 'pubcomp';
  // What acknowledges nothing in flight is ignored: it can be of a connection before.
  if (session.madeOutbox?.acknowledge(packet.packetId, kind) === 'wrong')
    connection.fail(wrong(packet.packetId));
}

/** PUBREC: the next thing the client is sure to get is PUBREL, or it has refused the message. */
function received(connection: Connection, frame: Frame): void {
  const { version, session } = connection.client;
  const packet = readAcknowledgement(frame, version);
  if (isFault(packet)) return connection.fail(packet);
  const { packetId, reason } = packet;
  if (reason >= 0x80) {
    if (session.madeOutbox?.acknowledge(packetId, 'refusal') === 'wrong')
      connection.fail(wrong(packetId));
    return;
  }
  const released = session.madeOutbox?.release(packetId);
  const outcome: Acknowledged = released?.outcome ?? 'unknown';
  if (outcome === 'wrong') return connection.fail(wrong(packetId));
  const answer = outcome === 'unknown' ? Reason.packetIdentifierNotFound : Reason.success;
  connection.answers.add(acknowledgement(Type.pubrel, version, packetId, answer), released?.kept);
}

function disconnected(connection: Connection, frame: Frame): void {
  const { version, session } = connection.client;
  const packet = readDisconnect(frame, version);
  if (isFault(packet)) return connection.fail(packet);
  const { sessionExpirySeconds } = packet;
  if (sessionExpirySeconds !== undefined) {
    if (session.expirySeconds === 0 && sessionExpirySeconds > 0)
      return connection.fail(
        protocolError('a session that ends with its connection cannot be kept [MQTT-3.14.2-2]'),
      );
    session.expirySeconds = sessionExpirySeconds;
  }
  if (packet.reason !== Reason.disconnectWithWill) connection.will = undefined;
  connection.gone({ reason: 'clean' });
}
