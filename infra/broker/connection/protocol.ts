// The protocol: each connection from its first byte to its end, and the clients that are connected.
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PartialReads } from '../../../bridge/base/partial-reads.ts';
import { pause } from '../../../functions/contract/pause.ts';
import type { ConnectionValidator } from '../access/access.ts';
import { ownNamePrefix } from '../access/own-user.ts';
import type { Fault } from '../packets/cursor.ts';
import type { Message } from '../packets/message.ts';
import { Reason } from '../packets/reasons.ts';
import { UserBudgets } from '../quotas/budget.ts';
import { type Parties, Shares } from '../quotas/shares.ts';
import type { Retained } from '../routing/retained.ts';
import { Router } from '../routing/router.ts';
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Store } from '../store/broker-store.ts';
import { type ConnectionRecord, forgetRecord } from '../store/records.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Announcer } from '../telemetry/events.ts';
import { Admission } from './admission.ts';
import { connect } from './connecting.ts';
import { Connection, type Origin } from './connection.ts';
import { handlePacket } from './handling.ts';
import { Link } from './link.ts';
import { Publishing } from './publishing.ts';
import { SharedTakeovers } from './shared-takeovers.ts';
import { type PacketStream, readPackets } from './stream.ts';
import { Subscribing } from './subscribing.ts';
import { Wills } from './wills.ts';

export interface ProtocolParts {
  readonly validator: ConnectionValidator;
  /** Whether there is still a user of this name. */
  readonly isUser: (name: string) => boolean;
  readonly limits: BrokerSettings['limits'];
  readonly parties: Parties;
  readonly store: Store;
  readonly subscriptions: Subscriptions<Session>;
  readonly sessions: Sessions;
  readonly retained: Retained;
  readonly counters: Counters;
  readonly announcer: Announcer;
  readonly newEpoch: () => number;
  readonly log: Logger;
}

/** What may happen with every message is told once a minute. */
function seldom<T>(tell: (about: T) => void): (about: T) => void {
  let nextMs = Number.NEGATIVE_INFINITY;
  return (about) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + 60_000;
    tell(about);
  };
}

export class Protocol {
  readonly #parts: ProtocolParts;
  /** All, from the first byte. */
  readonly #open = new Set<Connection>();
  readonly #streams = new Set<Duplex>();
  /** Those with a CONNACK, by client id. */
  readonly #ready = new Map<string, Connection>();
  readonly #partialPackets: PartialReads;
  readonly #publishing: Publishing;
  readonly #subscribing: Subscribing;
  readonly #admission: Admission;
  readonly #wills: Wills;
  readonly #takeovers: SharedTakeovers;
  #closing = false;

  constructor(parts: ProtocolParts) {
    this.#parts = parts;
    const { limits, parties, store, counters, log } = parts;
    this.#partialPackets = new PartialReads(
      Math.max(limits.maxPartialPacketsBytes, limits.maxPacketBytes),
    );
    const onDropped = seldom((session: Session) =>
      log.warn(
        { clientId: session.clientId, user: session.user ?? null },
        'the queue of a session is full: its newest messages are dropped',
      ),
    );
    this.#publishing = new Publishing({
      ...parts,
      router: new Router(parts.subscriptions),
      onDropped,
      onHeld: seldom((session: Session) =>
        log.warn(
          { clientId: session.clientId, messages: session.outbox.messages },
          'the queue of the bridge is full: publishers have no PUBACK until there is room',
        ),
      ),
      onNotRetained: (topic, why) => log.error({ topic }, `a message was not retained: ${why}`),
    });
    this.#takeovers = new SharedTakeovers(parts.subscriptions, (error) =>
      log.error(error, 'shared messages were not given on'),
    );
    this.#subscribing = new Subscribing({
      ...parts,
      onDropped,
      onShared: (session) => this.#takeovers.changed(session),
    });
    this.#wills = new Wills(store, (message, record) => this.#publishWill(message, record));
    this.#admission = new Admission({
      ...parts,
      wills: this.#wills,
      takeovers: this.#takeovers,
      memory: new UserBudgets({
        maxBytes: limits.maxMemoryQueuesBytes,
        maxBytesPerUser: parties.users ? limits.maxMemoryQueuesBytesPerUser : undefined,
      }),
      // The server's own are few, and counted when they are made as all others are.
      connections: new Shares(
        {
          what: 'connections',
          max: limits.maxConnections,
          maxSetting: 'maxConnections',
          perUser: limits.maxConnectionsPerUser,
          perUserSetting: 'maxConnectionsPerUser',
        },
        { ...parties, own: false },
      ),
      connectedAs: (clientId) => this.#ready.get(clientId),
      onValidatorError(error) {
        counters.validatorErrors++;
        log.error(error, 'the connection validator failed');
      },
    });
  }

  /** Takes the stream of a new client. */
  accept(stream: Duplex, origin: Origin): void {
    if (this.#closing) return void stream.destroy();
    const { limits, counters, log } = this.#parts;
    let packets: PacketStream | undefined;
    const link = new Link(stream, {
      ...limits,
      onStalled: () => {
        counters.stalled++;
        connection.close({ reason: 'error', detail: 'the client did not read' });
      },
      onDrain: () => {
        connection.known?.session.madeOutbox?.resume();
        this.#subscribing.resume(connection);
      },
    });
    const connection: Connection = new Connection(this.#parts.newEpoch(), origin, link, {
      onEnd: (ended) => this.#ended(ended),
      onFault: (faulty, fault) => this.#faulty(faulty, fault),
      onRoom: () => {
        if (this.#publishing.mayRead(connection)) packets?.resume();
      },
    });
    this.#open.add(connection);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    connection.onEnd(() => {
      this.#open.delete(connection);
      this.#publishing.ended(connection);
    });
    const handling = { publishing: this.#publishing, subscribing: this.#subscribing };
    packets = readPackets(stream, connection, {
      ...this.#parts,
      partialPackets: this.#partialPackets,
      onFault: (fault) => connection.fail(fault),
      onPacket: (frame) => {
        if (connection.state !== 'waiting') return handlePacket(handling, connection, frame);
        const onOpen = () => {
          this.#opened(connection);
          packets?.keepAlive(connection.client.keepAliveSeconds);
          packets?.resume();
        };
        connect({ ...this.#parts, admission: this.#admission }, connection, frame, onOpen).catch(
          (error) => {
            log.error(error, 'a connection could not be made');
            connection.close({ reason: 'error', detail: String(error) });
          },
        );
        return false;
      },
    });
  }

  /** Publishes to clients; resolves when all who keep it have kept it. */
  async publish(message: Message): Promise<void> {
    await this.#publishing.publish(message, { user: ownNamePrefix }).kept;
  }

  /** What a process left that was killed: its will is published, now or when it is due. */
  left(record: ConnectionRecord): void {
    const { will, dueAtMs } = record;
    if (will === undefined) void forgetRecord(this.#parts.store, record.facts.epoch);
    else
      this.#wills.publish(
        { ...record, will },
        dueAtMs ?? this.#dueAtMs(record.facts.clientId, will.delaySeconds),
      );
  }

  /** Whether anybody has subscribed to this topic. */
  isWanted(topic: string): boolean {
    const { members, groups } = this.#parts.subscriptions.routesOf(topic);
    return members.length > 0 || groups.length > 0;
  }

  closeUsers(users: ReadonlySet<string | undefined>): void {
    for (const connection of this.#open) {
      const { known } = connection;
      if (known !== undefined && users.has(known.user))
        connection.close(
          { reason: 'server', detail: 'the user has changed' },
          Reason.administrativeAction,
        );
    }
  }

  /** Messages that wait for a session of the server's own. */
  get heldMessages(): number {
    return this.#publishing.heldMessages;
  }

  get clients(): number {
    return this.#ready.size;
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const connection of this.#open)
      connection.close({ reason: 'server' }, Reason.serverShuttingDown);
    while (this.#streams.size > 0) await pause(5);
    this.#publishing.close();
    this.#wills.close();
    this.#takeovers.close();
    await this.#parts.store.settled();
  }

  /** The client has its CONNACK. */
  #opened(connection: Connection): void {
    const { sessions, counters, announcer } = this.#parts;
    const { clientId, session, delivering, clean, keepAliveSeconds } = connection.client;
    this.#ready.set(clientId, connection);
    session.isNew = false;
    counters.connected++;
    announcer.announce('connected', connection.facts, { clean, keepAliveSeconds });
    sessions.seen(session);
    session.attach(delivering);
    this.#takeovers.changed(session);
  }

  #ended(connection: Connection): void {
    const { announcer, store, log } = this.#parts;
    const { clientId, session, delivering } = connection.client;
    const { will, facts, ending = { reason: 'error' } } = connection;
    if (this.#ready.get(clientId) === connection) this.#ready.delete(clientId);
    session.detach(delivering);
    if (will === undefined) void forgetRecord(store, connection.epoch);
    else this.#wills.publish({ facts, will }, this.#dueAtMs(clientId, will.delaySeconds));
    this.#left(session).catch((error) => log.error(error, 'a session was not removed'));
    announcer.announce('disconnected', facts, ending);
  }

  async #left(session: Session): Promise<void> {
    this.#takeovers.changed(session);
    if (session.expirySeconds === 0) await this.#takeovers.ending(session);
    await this.#parts.sessions.left(session);
  }

  /** A will waits for its delay, and no longer than the session is there [MQTT-3.1.3-9]. */
  #dueAtMs(clientId: string, delaySeconds: number): number {
    const session = this.#parts.sessions.get(clientId);
    return Date.now() + Math.min(delaySeconds, session?.expirySeconds ?? 0) * 1000;
  }

  #publishWill(message: Message, { facts }: ConnectionRecord): void {
    const { log } = this.#parts;
    const user = facts.user ?? undefined;
    this.#publishing
      .publish(message, { user })
      .kept?.catch((error) => log.error(error, 'a will was not kept'));
  }

  #faulty(connection: Connection, { reason, rule, silent }: Fault): void {
    const { counters, log } = this.#parts;
    if (reason === Reason.packetTooLarge || silent) counters.packetsTooLarge++;
    else counters.protocolErrors++;
    log.info({ ...connection.facts, error: rule }, 'a connection was closed');
  }
}
