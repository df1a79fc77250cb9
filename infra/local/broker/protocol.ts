// What aedes asks and tells, answered: one connection from its first byte to its end.
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Aedes, Client } from 'aedes';
import type { Logger } from 'pino';
import type { ConnectionValidator } from './access.ts';
import { RefusedError } from './admission.ts';
import { Connection } from './connection.ts';
import type { Counters } from './counters.ts';
import type { Announcer } from './events.ts';
import { guardStream, PartialPackets } from './frame-guard.ts';
import { createHooks } from './hooks.ts';
import type { Origin } from './listeners.ts';
import type { Message, QoS } from './message.ts';
import { type Arrival, createPersistence } from './persistence.ts';
import { mendPublishing, messageOf } from './publishing.ts';
import { forgetRecord } from './records.ts';
import type { Retained } from './retained.ts';
import type { Sessions } from './sessions.ts';
import type { BrokerSettings } from './settings.ts';
import type { Store } from './store.ts';

export interface ProtocolParts {
  readonly validator: ConnectionValidator;
  /** Whether there is still a user of this name. */
  readonly isUser: (name: string) => boolean;
  readonly limits: BrokerSettings['limits'];
  readonly store: Store;
  readonly sessions: Sessions;
  readonly retained: Retained;
  readonly counters: Counters;
  readonly announcer: Announcer;
  readonly newEpoch: () => number;
  readonly log: Logger;
}

/** The parts of aedes that are not in its types. */
interface Internals {
  opts: { persistence: object };
  clients: Record<string, Client | undefined>;
  registerClient: (client: Client) => void;
}

/** True once the client has sent DISCONNECT; not in aedes's types. */
const saidGoodbye = (client: Client) =>
  (client as unknown as { _disconnected: boolean })._disconnected;

export interface Protocol {
  /** Takes the stream of a new client. */
  accept(stream: Duplex, origin: Origin): void;
  publish(message: Message): Promise<void>;
  /** Whether anybody has subscribed to this topic. */
  isWanted(topic: string): boolean;
  closeUsers(users: ReadonlySet<string | undefined>): void;
  expireSessions(): Promise<void>;
  readonly clients: number;
  close(): Promise<void>;
}

export async function createProtocol(aedes: Aedes, parts: ProtocolParts): Promise<Protocol> {
  const { limits, store, sessions, retained, counters, announcer, log } = parts;
  const internals = aedes as unknown as Internals;
  /** All, from the first byte. */
  const open = new Set<Connection>();
  /** Those with a CONNACK, by client id. */
  const ready = new Map<string, Connection>();
  /** Those with a subscription to events. */
  const listening = new Set<Connection>();
  const connections = new WeakMap<object, Connection>();
  const memory = { bytes: 0, maxBytes: limits.maxMemoryQueuesBytes };
  const partialPackets = new PartialPackets(
    Math.max(limits.maxPartialPacketsBytes, limits.maxPacketBytes),
  );
  const arrivals = new Map<number, Arrival>();
  const connectionOf = (client: object | null) => (client ? connections.get(client) : undefined);

  internals.opts.persistence = createPersistence({
    store,
    sessions,
    connectionOf,
    takeArrival(number) {
      const arrival = arrivals.get(number);
      arrivals.delete(number);
      return arrival;
    },
  });
  await aedes.listen();

  const publishing = mendPublishing(aedes, {
    keep(packet, client, number) {
      const session = connectionOf(client)?.session;
      if (packet.qos === 2 && packet.messageId !== undefined && session !== undefined)
        arrivals.set(number, { session, packetId: packet.messageId });
      return packet.retain ? retained.keep(messageOf(packet)) : undefined;
    },
    published(packet, client) {
      const connection = connectionOf(client);
      if (connection === undefined) return;
      if (connection.isWill(packet)) return void forgetRecord(store, connection.epoch);
      counters.messagesReceived++;
      const { topic, qos, retain, payload } = packet;
      const bytes = payload.length;
      announcer.announce('received', connection.facts, { topic, qos, retain, bytes });
    },
  });

  const onListening = (connection: Connection) => void listening.add(connection);
  const connectedAs = (clientId: string) => ready.get(clientId);
  Object.assign(
    aedes,
    createHooks({ ...parts, memory, publishing, connectionOf, connectedAs, onListening }),
  );
  (aedes as EventEmitter).on('error', (error) => log.error(error, 'aedes failed'));

  const registerClient = internals.registerClient.bind(aedes);
  internals.registerClient = (client) => {
    const before = connectionOf(internals.clients[client.id] ?? null);
    if (before !== undefined) before.ended ??= { reason: 'takeover' };
    registerClient(client);
  };

  aedes.on('keepaliveTimeout', (client) => {
    counters.keepAliveTimeouts++;
    const connection = connectionOf(client);
    if (connection !== undefined) connection.ended ??= { reason: 'keep-alive' };
  });
  for (const name of ['clientError', 'connectionError'] as const) {
    aedes.on(name, (client, error) => {
      const connection = connectionOf(client);
      if (connection === undefined || connection.ended !== undefined) return;
      connection.ended = { reason: 'error', detail: error.message };
      if (!(error instanceof RefusedError) && !('syscall' in error)) counters.protocolErrors++;
      log.info({ ...connection.facts, error: error.message }, 'a connection was closed');
    });
  }
  aedes.on('clientReady', (client) => {
    const connection = connectionOf(client);
    if (connection === undefined || !open.has(connection)) return;
    const { clientId, session, clean, keepAliveSeconds } = connection;
    // aedes has closed it, but for one that it forgot when an earlier connection of the same client ended late.
    ready.get(clientId)?.close('takeover');
    ready.set(clientId, connection);
    if (session !== undefined) {
      session.isNew = false;
      sessions.seen(session);
    }
    counters.connected++;
    announcer.announce('connected', connection.facts, { clean, keepAliveSeconds });
    connection.start();
  });
  aedes.on('subscribe', (all, client) => {
    const connection = connectionOf(client);
    const granted = all.filter(({ topic }) => connection?.subscriptions.has(topic));
    if (connection === undefined || granted.length === 0) return;
    const filters = granted.map(({ topic }) => topic);
    connection.sendRetained(retained.matching(filters));
    announcer.announce('subscribed', connection.facts, {
      subscriptions: granted.map(({ topic, qos }) => ({ filter: topic, qos: qos as QoS })),
    });
  });
  aedes.on('unsubscribe', (all, client) => {
    const connection = connectionOf(client);
    if (connection === undefined || client.closed) return;
    const filters = all.filter((filter) => connection.subscriptions.delete(filter));
    if (filters.length > 0) announcer.announce('unsubscribed', connection.facts, { filters });
  });

  const ended = (connection: Connection, client: Client) => {
    open.delete(connection);
    listening.delete(connection);
    connection.stop();
    if (saidGoodbye(client)) connection.ended = { reason: 'clean' };
    const why = connection.ended ?? { reason: 'error', detail: 'closed without DISCONNECT' };
    if (!connection.ready || connection.will === undefined || why.reason === 'clean')
      void forgetRecord(store, connection.epoch);
    if (!connection.ready) return;
    if (ready.get(connection.clientId) === connection) ready.delete(connection.clientId);
    if (connection.session !== undefined) sessions.seen(connection.session);
    announcer.announce('disconnected', connection.facts, why);
  };

  return {
    accept(stream, origin) {
      const epoch = parts.newEpoch();
      const connection = new Connection(
        stream,
        { epoch, ...origin },
        { ...limits, memory },
        counters,
      );
      guardStream(stream, {
        maxPacketBytes: limits.maxPacketBytes,
        partialPackets,
        onFault(fault) {
          counters.packetsTooLarge++;
          connection.close('error', fault);
        },
        onTooSlow() {
          counters.packetsTooSlow++;
          connection.close('error', 'its packet did not come whole in time');
        },
      });
      open.add(connection);
      const client = aedes.handle(stream);
      connections.set(client, connection);
      stream.once('close', () => ended(connection, client));
    },
    publish: ({ topic, payload, qos, retain }) =>
      new Promise((resolve, reject) =>
        aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (error) =>
          error ? reject(error) : resolve(),
        ),
      ),
    isWanted(topic) {
      if (sessions.subscribersOf(topic).size > 0) return true;
      return [...listening].some((connection) => connection.wants(topic));
    },
    closeUsers(users) {
      // Those too that have been let in and have no CONNACK yet: with rights, or nobody knows whose they are.
      for (const connection of open)
        if (connection.rights !== undefined && users.has(connection.user))
          connection.close('server', 'the user has changed');
    },
    expireSessions: () => sessions.expire(new Set(ready.keys())),
    get clients() {
      return ready.size;
    },
    async close() {
      for (const connection of open) connection.ended ??= { reason: 'server' };
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const connection of open) connection.close('server');
      while (open.size > 0 || publishing.pending > 0)
        await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
