// A client's messages: PUBLISH, and PUBREL for those of QoS 2.
import { isOwn } from '../access/own-user.ts';
import { acknowledgement } from '../packets/answers.ts';
import { type Fault, protocolError } from '../packets/cursor.ts';
import { type Frame, isFault, Type } from '../packets/frames.ts';
import type { Message } from '../packets/message.ts';
import { type Publish, readPublish } from '../packets/publish.ts';
import { Reason } from '../packets/reasons.ts';
import { readAcknowledgement } from '../packets/requests.ts';
import type { Retained } from '../routing/retained.ts';
import { both, type Routed, type Router } from '../routing/router.ts';
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Announcer } from '../telemetry/events.ts';
import { BackPressure } from './back-pressure.ts';
import type { Connection } from './connection.ts';

export interface PublishingParts {
  readonly limits: BrokerSettings['limits'];
  readonly sessions: Sessions;
  readonly retained: Retained;
  readonly subscriptions: Subscriptions<Session>;
  readonly router: Router<Session>;
  readonly counters: Counters;
  readonly announcer: Announcer;
  /** Told where a message of the server's own user could not be retained. */
  readonly onNotRetained: (topic: string, why: string) => void;
  /** A session has lost a message, as its queue was full. */
  readonly onDropped: (session: Session) => void;
  /** A publisher waits for this session. */
  readonly onHeld: (session: Session) => void;
}

const noRoomToWait: Fault = {
  reason: Reason.quotaExceeded,
  rule: 'the messages that wait for the bridge have no room for another one (maxHeldBytes)',
};

type PacketIdentity = Pick<Publish, 'qos' | 'packetId'>;

/** Aliases that a client may give to topics. */
export const topicAliasMaximum = 10;

export class Publishing {
  readonly #parts: PublishingParts;
  readonly #backPressure: BackPressure;

  constructor(parts: PublishingParts) {
    this.#parts = parts;
    this.#backPressure = new BackPressure({
      ...parts,
      pass: (connection, message, packetId) => this.#pass(connection, message, packetId),
    });
  }

  get heldMessages(): number {
    return this.#backPressure.messages;
  }

  /** Whether the client's next packets may be read. */
  mayRead(connection: Connection): boolean {
    return this.#backPressure.mayRead(connection);
  }

  ended(connection: Connection): void {
    this.#backPressure.drop(connection);
  }

  close(): void {
    this.#backPressure.close();
  }

  /** Keeps the message where it is to be retained, and hands it to all who have subscribed. */
  publish(
    message: Message,
    from: { readonly user: string | undefined; readonly session?: Session },
    defers = false,
  ): Routed<Session> {
    const { router, retained, onDropped } = this.#parts;
    const routed = router.route(message, from.session, defers);
    if (routed.full !== undefined) onDropped(routed.full);
    const keeping = message.retain ? retained.keep(message, from.user) : undefined;
    return keeping === undefined ? routed : { ...routed, kept: both(routed.kept, keeping) };
  }

  received(connection: Connection, frame: Frame): void {
    const { counters, announcer } = this.#parts;
    const { version, session, user } = connection.client;
    const packet = readPublish(frame, version);
    if (isFault(packet)) return connection.fail(packet);
    const topic = topicOf(connection, packet);
    if (typeof topic !== 'string') return connection.fail(topic);
    const { qos, packetId, retain, payload, properties, expirySeconds } = packet;
    if (qos === 2 && session.incoming.has(packetId)) return this.#again(connection, packetId);
    const refusal = this.#refusal(connection, packet, topic);
    if (refusal !== undefined) return this.#refuse(connection, packet, refusal);

    const message: Message = {
      topic,
      payload,
      qos,
      retain,
      ...(properties !== undefined && { properties }),
      ...(expirySeconds !== undefined && { expiresAtMs: Date.now() + expirySeconds * 1000 }),
    };
    // What the server publishes itself is commands, which are stored already, and do not wait for a full queue.
    const canWait = qos > 0 && !isOwn(user);
    const taken = canWait ? this.#backPressure.take(connection, message, packetId) : 'may pass';
    if (taken === 'no room') return this.#refuse(connection, packet, noRoomToWait);
    counters.messagesReceived++;
    if (taken === 'may pass') this.#take(connection, message, packetId);
    announcer.announce('received', connection.facts, { topic, qos, retain, bytes: payload.length });
  }

  /** A message that has waited. Meanwhile it can have been sent again, and the room to retain it can be gone. */
  #pass(connection: Connection, message: Message, packetId: number): void {
    const { qos } = message;
    if (qos === 2 && connection.client.session.incoming.has(packetId))
      return this.#again(connection, packetId);
    const refusal = this.#notRetainable(connection, message);
    if (refusal !== undefined) return this.#refuse(connection, { qos, packetId }, refusal);
    this.#take(connection, message, packetId);
  }

  #take(connection: Connection, message: Message, packetId: number): void {
    if (message.qos === 2) return this.#exactlyOnce(connection, message, packetId);
    const { session, user } = connection.client;
    const { matched, dropped, kept } = this.publish(message, { user, session });
    if (message.qos === 0) return;
    const reason = !matched ? Reason.noMatchingSubscribers : reasonOf(dropped, message);
    this.#acknowledge(connection, { qos: 1, packetId }, reason, kept);
  }

  /**
   * In one batch of the store: a QoS 2 message is in every queue and known to have arrived, or neither. Who keeps nothing
   * gets it after that, or would get it twice when the batch fails and it is sent again.
   */
  #exactlyOnce(connection: Connection, message: Message, packetId: number): void {
    const { session, user } = connection.client;
    const { dropped, kept, deliver } = this.publish(message, { user, session }, true);
    const reason = reasonOf(dropped, message);
    // The client ends its part with a PUBREC that refuses [MQTT-4.3.3-4].
    const refused = reason !== Reason.success && connection.client.version === 5;
    const arrived = refused ? undefined : this.#parts.sessions.arrived(session, packetId);
    const done = both(arrived, kept);
    this.#acknowledge(connection, { qos: 2, packetId }, reason, done);
    if (done === undefined) return deliver();
    done.then(deliver, () => void session.incoming.delete(packetId));
  }

  /** PUBREL: the packet id may be used for a new message. */
  released(connection: Connection, frame: Frame): void {
    const { version, session } = connection.client;
    const packet = readAcknowledgement(frame, version);
    if (isFault(packet)) return connection.fail(packet);
    const { packetId } = packet;
    const isKnown = session.incoming.has(packetId);
    const reason = isKnown ? Reason.success : Reason.packetIdentifierNotFound;
    const kept = isKnown ? this.#parts.sessions.completed(session, packetId) : undefined;
    connection.answers.add(acknowledgement(Type.pubcomp, version, packetId, reason), kept);
  }

  /** A message that has come before: it is handed on no second time [MQTT-4.3.3-10]. */
  #again(connection: Connection, packetId: number): void {
    const { session, version } = connection.client;
    const kept = session.kept ? this.#parts.sessions.settled() : undefined;
    connection.answers.add(acknowledgement(Type.pubrec, version, packetId, Reason.success), kept);
  }

  #acknowledge(
    connection: Connection,
    { qos, packetId }: PacketIdentity,
    reason: number,
    kept?: Promise<unknown>,
  ): void {
    const { version } = connection.client;
    const type = qos === 1 ? Type.puback : Type.pubrec;
    const bytes = acknowledgement(type, version, packetId, reason);
    if (qos === 2) return connection.answers.add(bytes, kept);
    connection.unacknowledged++;
    connection.answers.add(bytes, kept, () => connection.unacknowledged--);
  }

  #refusal(connection: Connection, packet: Publish, topic: string): Fault | undefined {
    const { limits, counters } = this.#parts;
    const { rights, session, version } = connection.client;
    const { qos, retain, payload } = packet;
    const held = this.#backPressure.heldOf(connection);
    const underway = connection.unacknowledged + session.incoming.size + held;
    if (qos > 0 && underway >= limits.maxIncomingInflight && (version === 5 || qos === 2))
      return {
        reason: Reason.receiveMaximumExceeded,
        rule: `more than ${limits.maxIncomingInflight} messages are under way (maxIncomingInflight)`,
      };
    if (levelsOf(topic) > limits.maxTopicLevels)
      return {
        reason: Reason.topicNameInvalid,
        rule: `the topic has more than ${limits.maxTopicLevels} levels`,
      };
    if (!rights.mayPublish(topic)) {
      counters.publishesNotAuthorized++;
      return { reason: Reason.notAuthorized, rule: 'not authorized to publish to this topic' };
    }
    return this.#notRetainable(connection, { topic, payload, qos, retain });
  }

  #notRetainable(connection: Connection, message: Message): Fault | undefined {
    const { counters, retained, onNotRetained } = this.#parts;
    const { user } = connection.client;
    if (!message.retain || message.qos === 0) return undefined;
    const noRoom = retained.fault(message, user);
    if (noRoom === undefined) return undefined;
    // Its PUBACK would say that it is kept [MQTT-3.3.1-5]. The server's own connection carries everybody's messages, and
    // stays.
    if (isOwn(user)) {
      onNotRetained(message.topic, noRoom);
      return undefined;
    }
    counters.retainedOverLimit++;
    return { reason: Reason.quotaExceeded, rule: `no room for a retained message: ${noRoom}` };
  }

  /**
   * On MQTT 5 the acknowledgement says no. Before, the connection is closed: [MQTT-3.3.5-2] also allows to acknowledge
   * what nobody gets, which would be a lie that no one notices.
   */
  #refuse(connection: Connection, packet: PacketIdentity, fault: Fault): void {
    const { version } = connection.client;
    const told: readonly number[] = [
      Reason.notAuthorized,
      Reason.quotaExceeded,
      Reason.topicNameInvalid,
    ];
    if (version === 5 && packet.qos > 0 && told.includes(fault.reason))
      this.#acknowledge(connection, packet, fault.reason);
    else connection.fail(fault);
  }
}

/** A message that all who are to get it have lost is refused, where MQTT has a word for that; one that is retained is kept. */
const reasonOf = (dropped: boolean, { retain }: Message) =>
  dropped && !retain ? Reason.quotaExceeded : Reason.success;

/** The topic that the packet names, or that its alias stands for. */
function topicOf(connection: Connection, { topic, topicAlias }: Publish): string | Fault {
  if (topicAlias === undefined) return topic;
  if (topicAlias === 0 || topicAlias > topicAliasMaximum)
    return {
      reason: Reason.topicAliasInvalid,
      rule: `the topic alias is 1 to ${topicAliasMaximum} [MQTT-3.3.2-9]`,
    };
  if (topic !== '') {
    connection.aliases ??= new Map();
    connection.aliases.set(topicAlias, topic);
    return topic;
  }
  return (
    connection.aliases?.get(topicAlias) ??
    protocolError('the topic alias stands for no topic [MQTT-3.3.2-12]')
  );
}

/** Levels of a topic or filter. */
export function levelsOf(topic: string): number {
  let levels = 1;
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels++;
  return levels;
}
