// The embedded MQTT 3.1.1 broker: aedes speaks the protocol; who may do what, what is kept, and what goes to whom in
// which order is ours, in the files beside this one.
import { Aedes } from 'aedes';
import { type Logger, pino } from 'pino';
import { faultsText } from '../../../functions/contract/parse.ts';
import { topicFault } from '../../../functions/contract/topic.ts';
import type { ConnectionValidator } from './access.ts';
import { certificateFiles, readCertificate } from './certificate.ts';
import { type Counters, createCounters } from './counters.ts';
import { type Announcer, type BrokerEvents, createAnnouncer } from './events.ts';
import { type Listeners, openListeners } from './listeners.ts';
import type { QoS } from './message.ts';
import type { BrokerGauges } from './metrics.ts';
import { type OwnUser, ownNamePrefix, withOwnUser } from './own-user.ts';
import { Passwords } from './passwords.ts';
import { createProtocol } from './protocol.ts';
import { forgetRecord, leftRecords, newEpochs } from './records.ts';
import { Retained } from './retained.ts';
import { Sessions } from './sessions.ts';
import { type BrokerSettingsInput, parseBrokerSettings } from './settings.ts';
import { Store } from './store.ts';
import { allRights } from './topic-rights.ts';
import { changedUsers, readUsers, rightsIn, type Users, usersValidator } from './users.ts';
import { watchFiles } from './watched-files.ts';

export interface EmbeddedBrokerOptions extends BrokerSettingsInput {
  /** Decides who may connect, in place of the users file. */
  readonly validator?: ConnectionValidator;
  /** Told what happens to clients, from before the first can connect. */
  readonly on?: { readonly [Name in keyof BrokerEvents]?: (event: BrokerEvents[Name]) => void };
  readonly log?: Logger;
  /** Lets in a client of this process besides, whatever the validator or the users file say. */
  readonly ownUser?: OwnUser;
  /** How often the users file and the certificate are looked at, in ms; default 1000. */
  readonly watchIntervalMs?: number;
}

export interface EmbeddedBroker {
  /** The port of plain TCP, or the first of the others. */
  readonly port: number;
  readonly ports: Listeners['ports'];
  readonly urls: Listeners['urls'];
  readonly counters: Readonly<Counters>;
  gauges(): BrokerGauges;
  /** Messages of QoS 1 and 2 that are kept for a client id and not acknowledged; undefined where it has no session. */
  readonly backlogOf: (clientId: string) => number | undefined;
  readonly events: Announcer['emitter'];
  /** Clients that are connected. */
  readonly clients: number;
  /** Publishes to clients; resolves when the message is kept for all who shall have it. Rejects for a bad topic. */
  publish(message: {
    readonly topic: string;
    readonly payload: string | Buffer;
    readonly qos?: QoS;
    readonly retain?: boolean;
  }): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the broker. Rejects for settings that cannot be used (all named), where a port is taken (EADDRINUSE), the
 * folder in use (LEVEL_LOCKED), or with an {@link UnusableFileError} where a file of the settings cannot be used.
 */
export async function startBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { validator, ownUser, on, log = pino({ level: 'silent' }), ...rest } = options;
  const { watchIntervalMs: intervalMs = 1000, ...input } = rest;
  const parsed = parseBrokerSettings(input);
  if (!parsed.ok) throw new Error(faultsText(parsed.faults));
  const settings = parsed.value;
  const { limits, usersFile, tls } = settings;
  const certificate = tls && readFrom('tls.certFile', () => readCertificate(tls));
  let users: Users =
    usersFile === undefined ? { users: [] } : readFrom('usersFile', () => readUsers(usersFile));

  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const store = await Store.open(settings.folder, {
      sync: settings.syncWrites,
      onFailure: (error) => log.error(error, 'the store cannot be written'),
    });
    closers.push(() => store.close());
    const counters = createCounters();
    const sessions = await Sessions.load(store, limits, counters);
    const retained = await Retained.load(store, limits, counters);
    const passwords = new Passwords(limits.maxPasswordChecks);
    closers.push(() => passwords.close());

    const aedes = new Aedes({
      persistence: {},
      concurrency: 0,
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.stalledTimeoutMs,
      maxInflightInbound: limits.maxIncomingInflight,
      maxClientsIdLength: limits.maxClientIdBytes,
      maxTopicLevels: limits.maxTopicLevels,
    });
    const announcer = createAnnouncer(
      (topic) => protocol.isWanted(topic),
      ({ topic, payload, qos }) =>
        aedes.publish(
          { cmd: 'publish', topic, payload, qos, retain: false, dup: false },
          (error) => error && log.error(error, 'an event was not published'),
        ),
      (error) => log.error(error, 'a listener failed'),
    );
    for (const [name, listener] of Object.entries(on ?? {}))
      announcer.emitter.on(name as keyof BrokerEvents, listener as never);
    const others = validator ?? usersValidator(() => users, settings.anonymous, passwords);
    // Whom a validator in place of the users file knows, and what they may, is not known here.
    const rightsNow = (user: string | undefined, clientId: string) =>
      validator === undefined ? rightsIn(users, user, clientId) : allRights;
    const isUser = (name: string) =>
      name.startsWith(ownNamePrefix) || rightsNow(name, '') !== undefined;
    const withdraw = (changed: (user: string | undefined) => boolean) =>
      sessions.withdraw(
        ({ user, clientId }, filter) =>
          !changed(user) || rightsNow(user, clientId)?.maySubscribe(filter) !== false,
      );
    // The file may have changed since the last process. A session of nobody goes to a user, with all that it has.
    withdraw((user) => user !== undefined);
    const protocol = await createProtocol(aedes, {
      validator: ownUser === undefined ? others : withOwnUser(ownUser, others),
      isUser,
      limits,
      store,
      sessions,
      retained,
      counters,
      announcer,
      newEpoch: await newEpochs(store),
      log,
    });
    closers.push(() => protocol.close());

    const onFault = (error: Error) => {
      counters.filesUnusable++;
      log.error(error, 'a file that has changed cannot be used; the old one holds');
    };
    if (usersFile !== undefined) {
      const onChange = () => {
        const now = readUsers(usersFile);
        const changed = changedUsers(users, now);
        users = now;
        protocol.closeUsers(changed);
        withdraw((user) => changed.has(user));
      };
      closers.push(watchFiles([usersFile], { intervalMs, onChange, onFault }));
    }
    const publish: EmbeddedBroker['publish'] = async ({ topic, payload, qos, retain }) => {
      const fault = topicFault(topic);
      if (fault !== undefined) throw new Error(`topic ${fault}`);
      await protocol.publish({
        topic,
        payload: Buffer.from(payload),
        qos: qos ?? 0,
        retain: retain ?? false,
      });
    };
    // What was connected when the last process was killed has lost its connection without a DISCONNECT.
    for (const { facts, will } of await leftRecords(store)) {
      const detail = 'the broker was killed';
      if (will !== undefined)
        await protocol.publish(will).catch((error) => log.error(error, 'a will was not published'));
      const session = sessions.get(facts.clientId);
      if (session !== undefined) sessions.seen(session);
      announcer.announce('disconnected', facts, { reason: 'server', detail });
      await forgetRecord(store, facts.epoch);
    }

    const expiry = setInterval(() => {
      protocol.expireSessions().catch((error) => log.error(error, 'sessions were not expired'));
    }, 60_000).unref();
    closers.push(() => clearInterval(expiry));
    const listeners = await openListeners(settings, certificate, counters, protocol.accept);
    closers.push(() => listeners.close());
    if (tls !== undefined) {
      const onChange = () => listeners.renew(readCertificate(tls));
      closers.push(watchFiles(certificateFiles(tls), { intervalMs, onChange, onFault }));
    }
    const { ports, urls } = listeners;
    return {
      port: ports.tcp ?? ports.tls ?? ports.ws ?? ports.wss ?? 0,
      ports,
      urls,
      counters,
      gauges: () => ({
        connections: protocol.clients,
        sessions: sessions.size,
        queuedMessages: sessions.queuedMessages,
        retainedMessages: retained.size,
      }),
      backlogOf: (clientId) => sessions.get(clientId)?.outbox.messages,
      events: announcer.emitter,
      get clients() {
        return protocol.clients;
      },
      publish,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A file that a setting names cannot be read, or holds nothing that can be used. */
export class UnusableFileError extends Error {
  /** The setting, such as `usersFile`. */
  readonly field: string;

  constructor(field: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'UnusableFileError';
    this.field = field;
  }
}

function readFrom<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UnusableFileError(field, error);
  }
}
