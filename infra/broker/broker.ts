// The embedded MQTT server: the parts together.
import { type Logger, pino } from 'pino';
import { faultsText } from '../../functions/contract/parse.ts';
import { topicFault } from '../../functions/contract/topic.ts';
import type { ConnectionValidator } from './access/access.ts';
import { isOwn, type OwnUser, withOwnUser } from './access/own-user.ts';
import { Passwords } from './access/passwords.ts';
import { allRights } from './access/topic-rights.ts';
import { changedUsers, readUsers, rightsIn, type Users, usersValidator } from './access/users.ts';
import { Protocol } from './connection/protocol.ts';
import { certificateFiles, readCertificate } from './listening/certificate.ts';
import { type Listeners, openListeners } from './listening/listeners.ts';
import type { QoS } from './packets/message.ts';
import { matchingFilter } from './packets/requests.ts';
import { Retained } from './routing/retained.ts';
import { Subscriptions } from './routing/subscriptions.ts';
import type { Session } from './session/session.ts';
import { Sessions } from './session/sessions.ts';
import { type BrokerSettingsInput, parseBrokerSettings } from './settings/settings.ts';
import { watchFiles } from './settings/watched-files.ts';
import { Store } from './store/broker-store.ts';
import { leftRecords, newEpochs } from './store/records.ts';
import { type Counters, createCounters } from './telemetry/counters.ts';
import { type Announcer, type BrokerEvents, createAnnouncer } from './telemetry/events.ts';
import type { BrokerGauges } from './telemetry/metrics.ts';

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
  /** Why nothing can be kept at the moment, such as a full disk; undefined where all is well. */
  trouble(): string | undefined;
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
      onTrouble: (reason) =>
        reason === undefined
          ? log.warn('the store can be written again')
          : log.error({ reason }, 'the store cannot be written: clients are refused meanwhile'),
    });
    closers.push(() => store.close());
    const counters = createCounters();
    const parties = {
      users: usersFile !== undefined || validator !== undefined,
      own: ownUser !== undefined,
    };
    const subscriptions = new Subscriptions<Session>();
    const sessions = await Sessions.load(store, subscriptions, limits, counters, parties);
    const retained = await Retained.load(store, limits, counters, parties);
    const passwords = new Passwords(limits);
    closers.push(() => passwords.close());

    const announcer = createAnnouncer(
      (topic) => protocol.isWanted(topic),
      (message) =>
        protocol
          .publish({ ...message, retain: false })
          .catch((error) => log.error(error, 'an event was not published')),
      (error) => log.error(error, 'a listener failed'),
    );
    for (const [name, listener] of Object.entries(on ?? {}))
      announcer.emitter.on(name as keyof BrokerEvents, listener as never);
    const others =
      validator ?? usersValidator(() => users, settings.anonymous, passwords, counters);
    // Whom a validator in place of the users file knows, and what they may, is not known here.
    const rightsNow = (user: string | undefined, clientId: string) =>
      validator === undefined ? rightsIn(users, user, clientId) : allRights;
    const isUser = (name: string) => isOwn(name) || rightsNow(name, '') !== undefined;
    const withdraw = (changed: (user: string | undefined) => boolean) =>
      sessions.withdraw(
        ({ user, clientId }, filter) =>
          !changed(user) ||
          rightsNow(user, clientId)?.maySubscribe(matchingFilter(filter)) !== false,
      );
    // The file may have changed since the last process. A session of nobody goes to a user, with all that it has.
    withdraw((user) => user !== undefined);
    const protocol = new Protocol({
      validator: ownUser === undefined ? others : withOwnUser(ownUser, others),
      isUser,
      limits,
      parties,
      store,
      subscriptions,
      sessions,
      retained,
      counters,
      announcer,
      newEpoch: await newEpochs(store),
      log,
    });

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
    for (const record of await leftRecords(store)) {
      const { facts, dueAtMs } = record;
      protocol.left(record);
      // It ended before the broker did.
      if (dueAtMs !== undefined) continue;
      const session = sessions.get(facts.clientId);
      if (session !== undefined) sessions.seen(session);
      announcer.announce('disconnected', facts, {
        reason: 'server',
        detail: 'the broker was killed',
      });
    }

    const expiry = setInterval(() => {
      sessions.expire().catch((error) => log.error(error, 'sessions were not expired'));
    }, 1000).unref();
    closers.push(() => clearInterval(expiry));
    const listeners = await openListeners(settings, certificate, counters, (stream, origin) =>
      protocol.accept(stream, origin),
    );
    // Clients are told the reason before their sockets are closed.
    closers.push(() => listeners.close());
    closers.push(() => protocol.close());
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
        heldMessages: protocol.heldMessages,
        retainedMessages: retained.size,
      }),
      trouble: () => store.trouble,
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
