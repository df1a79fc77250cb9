// What happens to a CONNECT before it is accepted: the client id, the validator, whose session it is, the will.
import { randomUUID } from 'node:crypto';
import { StoreUnavailable } from '../../level/level-store.ts';
import type { ConnectionValidator, Decision, Refusal } from '../access/access.ts';
import type { TopicRights } from '../access/topic-rights.ts';
import type { Connect } from '../packets/connect.ts';
import { Reason } from '../packets/reasons.ts';
import { matchingFilter } from '../packets/requests.ts';
import type { Budget, UserBudgets } from '../quotas/budget.ts';
import type { Shares } from '../quotas/shares.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Store } from '../store/broker-store.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Connection } from './connection.ts';
import type { SharedTakeovers } from './shared-takeovers.ts';
import type { Wills } from './wills.ts';

export interface AdmissionParts {
  readonly validator: ConnectionValidator;
  /** Whether there is still a user of this name. */
  readonly isUser: (name: string) => boolean;
  readonly store: Pick<Store, 'trouble'>;
  readonly sessions: Sessions;
  readonly wills: Wills;
  readonly takeovers: SharedTakeovers;
  /** Memory of clients whose sessions end with their connections, by user. */
  readonly memory: UserBudgets;
  /** Connections that have been let in, by their users. */
  readonly connections: Shares;
  readonly counters: Counters;
  readonly limits: BrokerSettings['limits'];
  /** The connection that has this client id now. */
  readonly connectedAs: (clientId: string) => Connection | undefined;
  readonly onValidatorError: (error: unknown) => void;
}

/** Why a client is refused. `full` has no word of its own before MQTT 5. */
export type Refused = { readonly refusal: Refusal | 'full' | 'bad-method'; readonly why: string };

export interface Admitted {
  readonly clientId: string;
  /** The client has none of its own, and is told this one. */
  readonly assigned: boolean;
  readonly user: string | undefined;
  readonly rights: TopicRights;
  readonly session: Session;
  readonly sessionPresent: boolean;
}

/** CONNACK's codes for a refusal: of MQTT 3 [MQTT-3.2.2.3], and of MQTT 5. */
export const refusalCodes: Readonly<Record<Refused['refusal'], readonly [number, number]>> = {
  'client-id-refused': [2, Reason.clientIdentifierNotValid],
  'server-unavailable': [3, Reason.serverUnavailable],
  full: [3, Reason.quotaExceeded],
  'bad-user-or-password': [4, Reason.badUserNameOrPassword],
  'not-authorized': [5, Reason.notAuthorized],
  'bad-method': [5, Reason.badAuthenticationMethod],
};

const refuse = (refusal: Refused['refusal'], why: string): Refused => ({ refusal, why });

export class Admission {
  readonly #parts: AdmissionParts;
  /** Who takes a client id, one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /**
   * Decides on a CONNECT. The client that had the client id before is disconnected, and `open` is called with the client's
   * session; nobody else takes the client id before that is done. Resolves with why the client is refused.
   */
  async admit(
    connection: Connection,
    packet: Connect,
    open: (admitted: Admitted) => Promise<Refused | undefined>,
  ): Promise<Refused | undefined> {
    const { store, limits } = this.#parts;
    if (store.trouble !== undefined)
      return refuse('full', `the store cannot be written: ${store.trouble}`);
    if (packet.authenticationMethod !== undefined)
      return refuse('bad-method', 'there is no authentication method');
    const assigned = packet.clientId === '';
    if (assigned && (packet.version === 3 || (packet.version === 4 && !packet.clean)))
      return refuse('client-id-refused', 'a kept session needs a client id [MQTT-3.1.3-8]');
    if (Buffer.byteLength(packet.clientId) > limits.maxClientIdBytes)
      return refuse('client-id-refused', 'the client id is too long');
    const clientId = assigned ? randomUUID() : packet.clientId;
    const decision = await this.#decide(connection, packet, clientId);
    if (!decision.accepted) return refuse(decision.refusal, decision.why ?? decision.refusal);
    return this.#inTurn(clientId, async () => {
      try {
        const taken = await this.#take(connection, packet, clientId, decision);
        if ('refusal' in taken) return taken;
        return await open({ ...taken, clientId, assigned });
      } catch (error) {
        if (error instanceof StoreUnavailable) return refuse('full', error.message);
        throw error;
      }
    });
  }

  /** Whose memory what waits for a client takes. */
  memoryOf(user: string | undefined): Budget {
    return this.#parts.memory.of(user);
  }

  async #take(
    connection: Connection,
    packet: Connect,
    clientId: string,
    { user, rights }: Extract<Decision, { accepted: true }>,
  ): Promise<Omit<Admitted, 'clientId' | 'assigned'> | Refused> {
    const { sessions, wills, limits, connections } = this.#parts;
    const before = await this.#sessionBefore(clientId);
    const othersClientId = () =>
      refuse('client-id-refused', 'the client id belongs to another user');
    const connected = this.#parts.connectedAs(clientId);
    if (connected !== undefined && connected.client.user !== user) return othersClientId();
    if (!mayTake(before, user, rights)) return othersClientId();
    if (packet.will && !rights.mayPublish(packet.will.topic))
      return refuse('not-authorized', "the will's topic is not permitted");
    // Who comes back before the end of its old connection has been seen takes that one's place.
    const tooMany = connected === undefined ? connections.fault(user) : undefined;
    if (tooMany !== undefined) return refuse('full', tooMany);
    if (connection.state === 'closed') return refuse('server-unavailable', 'the client has gone');

    connected?.close({ reason: 'takeover' }, Reason.sessionTakenOver);
    connections.add(user, 1);
    connection.onEnd(() => connections.add(user, -1));
    const expirySeconds = Math.min(
      packet.sessionExpirySeconds ?? (packet.clean ? 0 : limits.sessionExpirySeconds),
      limits.sessionExpirySeconds,
    );
    const ending = packet.clean ? sessions.get(clientId) : undefined;
    if (ending !== undefined) {
      await this.#parts.takeovers.ending(ending);
      await sessions.remove(clientId);
    }
    const resumes = sessions.get(clientId) !== undefined;
    if (resumes) wills.cancel(clientId);
    else wills.publishNow(clientId);
    if (!resumes && expirySeconds === 0) {
      const session = sessions.temporary(clientId, user, this.#parts.memory.of(user));
      return { user, rights, session, sessionPresent: false };
    }
    const noRoom = sessions.claim(clientId, user);
    if (noRoom !== undefined) return refuse('full', noRoom);
    const session = await sessions.open(clientId, user, expirySeconds);
    sessions.give(session, user);
    for (const filter of [...session.subscriptions.keys()])
      if (!rights.maySubscribe(matchingFilter(filter))) void sessions.unsubscribe(session, filter);
    return { user, rights, session, sessionPresent: !session.isNew };
  }

  /** The client's session, where it has one that has not ended, and whose user there still is. */
  async #sessionBefore(clientId: string): Promise<Session | undefined> {
    const { sessions, isUser } = this.#parts;
    const session = sessions.get(clientId);
    if (session === undefined) return undefined;
    // Of a user who is gone it goes to nobody, and would keep the client id from all others until it expires.
    const hasUser = session.user === undefined || isUser(session.user);
    if (hasUser && !sessions.isOver(session)) return session;
    await sessions.remove(clientId);
    return undefined;
  }

  async #inTurn<T>(clientId: string, take: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(clientId);
    const turn = before === undefined ? take() : before.then(take, take);
    this.#turns.set(clientId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(clientId) === turn) this.#turns.delete(clientId);
    }
  }

  /** The validator's answer; a refusal where it takes longer than a CONNECT may wait. */
  async #decide(
    connection: Connection,
    { username, password }: Connect,
    clientId: string,
  ): Promise<Decision> {
    const { validator, limits, onValidatorError } = this.#parts;
    const { address, transport, certificateName } = connection.origin;
    const waiting = new AbortController();
    const why = `no answer in ${limits.connectTimeoutMs} ms (connectTimeoutMs), or the client has gone`;
    const abort = () => waiting.abort();
    const timer = setTimeout(abort, limits.connectTimeoutMs);
    connection.onEnd(abort);
    const overdue = new Promise<Decision>((resolve) => {
      const refusal = { accepted: false, refusal: 'server-unavailable', why } as const;
      waiting.signal.addEventListener('abort', () => resolve(refusal), { once: true });
    });
    const decided = async () =>
      validator({
        clientId,
        username,
        password: password === undefined ? undefined : Buffer.from(password),
        address,
        tls: transport === 'tls' || transport === 'wss',
        certificateName,
        signal: waiting.signal,
      });
    try {
      return await Promise.race([decided(), overdue]);
    } catch (error) {
      onValidatorError(error);
      return { accepted: false, refusal: 'server-unavailable' };
    } finally {
      clearTimeout(timer);
      connection.offEnd(abort);
    }
  }
}

/**
 * Who takes over a client id gets its session with all that is queued: so it has to be the same user. A session of
 * nobody, from before there were users, goes to the first one with the right to all that it has subscribed to.
 */
function mayTake(
  session: Session | undefined,
  user: string | undefined,
  rights: TopicRights,
): boolean {
  if (session === undefined || session.user === user) return true;
  if (session.user !== undefined) return false;
  return [...session.subscriptions.keys()].every((filter) =>
    rights.maySubscribe(matchingFilter(filter)),
  );
}
