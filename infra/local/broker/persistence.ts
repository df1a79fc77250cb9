// The persistence that aedes asks for, over our sessions. aedes-persistence-level keeps queues by a random id of the
// process, so that after a restart they come in another order; forgets a subscription when an overlapping one is
// removed; sends QoS 2 to who subscribed with QoS 1; and has no bounds.
import { Readable } from 'node:stream';
import type { Client, PublishPacket, Subscription } from 'aedes';
import type { Connection } from './connection.ts';
import type { QoS } from './message.ts';
import { messageOf } from './publishing.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Store } from './store.ts';

type Acknowledgement = { readonly cmd: string; readonly messageId?: number };
type Id = { readonly id: string };
type Incoming = { readonly messageId: number };

/** Stands among the restored subscriptions of a session that has none: aedes takes no other sign that it is there. */
export const sessionMarker = { topic: '$session', qos: 0 } as const;

export interface PersistenceParts {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly connectionOf: (client: Client | Id) => Connection | undefined;
  /** The session whose QoS 2 message this is, by the number that aedes gave it. */
  readonly takeArrival: (number: number) => Arrival | undefined;
}

export interface Arrival {
  readonly session: Session;
  readonly packetId: number;
}

export function createPersistence(parts: PersistenceParts) {
  const { store, sessions, connectionOf, takeArrival } = parts;
  return {
    async setup() {},

    async subscriptionsByClient({ id }: Id) {
      const session = sessions.get(id);
      if (session === undefined || session.isNew) return [];
      const kept = [...session.subscriptions].map(([topic, qos]) => ({ topic, qos }));
      return [sessionMarker, ...kept];
    },
    // Called for a CONNECT that wants a clean session [MQTT-3.1.2-6].
    cleanSubscriptions: ({ id }: Id) => sessions.remove(id),
    async addSubscriptions(client: Client, wanted: Subscription[]) {
      const connection = connectionOf(client);
      const session = connection?.session;
      if (session === undefined) return;
      // aedes names all filters of the SUBSCRIBE, refused ones too, once for each that it accepted.
      const changed = wanted.filter(
        ({ topic, qos }) =>
          connection?.subscriptions.get(topic) === qos && session.subscriptions.get(topic) !== qos,
      );
      await Promise.all(
        changed.map(({ topic, qos }) => sessions.subscribe(session, topic, qos as QoS)),
      );
    },
    async removeSubscriptions(client: Client, filters: string[]) {
      const session = connectionOf(client)?.session;
      if (session === undefined) return;
      await Promise.all(filters.map((filter) => sessions.unsubscribe(session, filter)));
    },
    async subscriptionsByTopic(topic: string) {
      return [...sessions.subscribersOf(topic)].filter(([, qos]) => qos > 0);
    },

    async outgoingEnqueueCombi(
      subscribers: [Session, QoS][],
      packet: PublishPacket & { brokerCounter: number },
    ) {
      // All in one batch of the store: a QoS 2 message is in every queue and known to have arrived, or neither.
      const arrival = takeArrival(packet.brokerCounter);
      const arrived = arrival && sessions.arrived(arrival.session, arrival.packetId);
      const message = subscribers.length > 0 ? messageOf(packet) : undefined;
      const kept = subscribers.map(
        ([{ outbox }, granted]) =>
          message && outbox.append({ ...message, qos: Math.min(granted, packet.qos) as QoS }),
      );
      await Promise.all([arrived, ...kept]);
    },
    // PUBREC; the answer to it is aedes's.
    async outgoingUpdate(client: Client, { cmd, messageId = 0 }: Acknowledgement) {
      if (cmd === 'pubrel') await connectionOf(client)?.outbox?.release(messageId);
    },
    async outgoingClearMessageId(client: Client, { cmd, messageId = 0 }: Acknowledgement) {
      if (cmd === 'puback' || cmd === 'pubcomp')
        connectionOf(client)?.outbox?.acknowledge(messageId, cmd);
    },
    // The outbox sends by itself.
    outgoingStream: () => Readable.from([]),

    async incomingStorePacket(client: Client, { messageId }: Incoming) {
      incomingOf(connectionOf(client))?.add(messageId);
    },
    async incomingGetPacket(client: Client, { messageId }: Incoming) {
      const connection = connectionOf(client);
      if (!incomingOf(connection)?.has(messageId)) throw new Error('no such packet');
      if (connection?.session !== undefined) await store.settled();
      return { messageId };
    },
    async incomingDelPacket(client: Client, { messageId }: Incoming) {
      const connection = connectionOf(client);
      if (connection?.session !== undefined)
        await sessions.completed(connection.session, messageId);
      else connection?.incoming.delete(messageId);
    },
    async cleanIncoming() {},

    // Retained messages and wills are kept and sent by us, see broker.ts.
    async storeRetained() {},
    createRetainedStreamCombi: () => Readable.from([]),
    async putWill() {},
    async delWill() {},
    streamWill: () => Readable.from([]),
  };
}

const incomingOf = (connection: Connection | undefined) =>
  connection?.session?.incoming ?? connection?.incoming;
