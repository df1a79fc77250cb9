// The questions that aedes asks: may this client connect, publish, subscribe; and who writes to it.
import type { Aedes, Client, ConnectPacket } from 'aedes';
import type { Logger } from 'pino';
import { filterFault, topicFault } from '../../../functions/contract/topic.ts';
import type { ConnectionValidator } from './access.ts';
import { type AdmissionParts, admit } from './admission.ts';
import type { Connection } from './connection.ts';
import type { Counters } from './counters.ts';
import type { MemoryBudget } from './link.ts';
import type { Message, QoS } from './message.ts';
import { Outbox } from './outbox.ts';
import { sessionMarker } from './persistence.ts';
import type { Publishing } from './publishing.ts';
import { memoryQueue } from './queue.ts';
import { forgetRecord, keepRecord } from './records.ts';
import type { Sessions } from './sessions.ts';
import type { BrokerSettings } from './settings.ts';
import type { Store } from './store.ts';

export interface HookParts {
  readonly validator: ConnectionValidator;
  readonly isUser: (name: string) => boolean;
  readonly limits: BrokerSettings['limits'];
  readonly store: Store;
  readonly sessions: Sessions;
  readonly counters: Counters;
  readonly log: Logger;
  readonly memory: MemoryBudget;
  readonly publishing: Publishing;
  readonly connectionOf: (client: Client | null) => Connection | undefined;
  /** The connection that has this client id now. */
  readonly connectedAs: (clientId: string) => Connection | undefined;
  /** The connection has subscribed to events. */
  readonly onListening: (connection: Connection) => void;
}

type Hooks = Pick<
  Aedes,
  'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'
>;

export function createHooks(parts: HookParts): Hooks {
  const { limits, store, sessions, counters, log, publishing, connectionOf } = parts;
  const connects = new WeakMap<Client, ConnectPacket>();
  const { memory } = parts;
  const outboxLimits = { ...limits, maxQueuedBytes: limits.maxMemoryQueueBytes, memory };
  const admission: AdmissionParts = {
    validator: parts.validator,
    isUser: parts.isUser,
    sessions,
    counters,
    maxClientIdBytes: limits.maxClientIdBytes,
    connectedAs: parts.connectedAs,
    onValidatorError(error) {
      counters.validatorErrors++;
      log.error(error, 'the connection validator failed');
    },
  };
  return {
    preConnect(client, packet, done) {
      connects.set(client, packet);
      done(null, true);
    },
    authenticate(client, _username, _password, done) {
      const connection = connectionOf(client);
      const packet = connects.get(client);
      if (connection === undefined || packet === undefined) return done(null, false);
      connection.clean = packet.clean ?? true;
      connection.keepAliveSeconds = packet.keepalive ?? 0;
      connection.will = packet.will as Message | undefined;
      const accepted = async () => {
        const refusal = await admit(admission, connection, packet, client.id);
        if (refusal !== undefined) throw refusal;
        connection.outbox =
          connection.session?.outbox ?? new Outbox(memoryQueue(), outboxLimits, counters);
        await keepRecord(store, connection);
      };
      accepted().then(
        () => done(null, true),
        (error) => done(error, null),
      );
    },
    // [MQTT-3.3.5-2] leaves two answers to a PUBLISH without the right to: acknowledge it or close. To acknowledge
    // what nobody gets would be a lie that no one notices.
    authorizePublish(client, packet, done) {
      const connection = connectionOf(client);
      if (client === null || connection === undefined) return done(null);
      const fault = topicFault(packet.topic);
      if (fault !== undefined) return done(new Error(`topic ${fault}`));
      if (!connection.rights?.mayPublish(packet.topic)) {
        counters.publishesNotAuthorized++;
        if (connection.isWill(packet)) void forgetRecord(store, connection.epoch);
        return done(new Error('not authorized to publish to this topic'));
      }
      const acknowledgedFirst = packet.qos === 1 && packet.messageId !== undefined;
      if (acknowledgedFirst) publishing.beforeAcknowledging(packet, client, done);
      else done(null);
    },
    authorizeSubscribe(client, subscription, done) {
      const connection = connectionOf(client);
      const { topic: filter, qos } = subscription;
      if (connection === undefined || (subscription as object) === sessionMarker)
        return done(null, null);
      const fault = filterFault(filter);
      if (fault !== undefined) return done(new Error(`topic filter ${fault}`));
      const isNew = !connection.subscriptions.has(filter);
      const granted =
        connection.rights?.maySubscribe(filter) &&
        // Taken as an ordinary filter it would match nothing, and nobody would know.
        !filter.startsWith('$share/') &&
        !(isNew && connection.subscriptionsFull);
      if (granted) {
        connection.subscriptions.set(filter, qos as QoS);
        if (filter.startsWith('$events')) parts.onListening(connection);
        return done(null, subscription);
      }
      counters.subscriptionsRefused++;
      // A session can have what its user may have no more.
      const { session } = connection;
      if (session?.subscriptions.has(filter)) void sessions.unsubscribe(session, filter);
      connection.subscriptions.delete(filter);
      done(null, null);
    },
    // aedes never writes a PUBLISH itself: the connection does, in its own time.
    authorizeForward(client, packet) {
      connectionOf(client)?.deliver(packet as Message);
      return null;
    },
  };
}
