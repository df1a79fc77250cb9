// What happens to a CONNECT before it is accepted: the client id, the validator, whose session it is, the will.
import type { ConnectPacket } from 'aedes';
import { stringFault, topicFault } from '../../../functions/contract/topic.ts';
import { type ConnectionValidator, connackCodes, type Refusal } from './access.ts';
import type { Connection } from './connection.ts';
import type { Counters } from './counters.ts';
import type { Session, Sessions } from './sessions.ts';
import type { TopicRights } from './topic-rights.ts';

export interface AdmissionParts {
  readonly validator: ConnectionValidator;
  /** Whether there is still a user of this name. */
  readonly isUser: (name: string) => boolean;
  readonly sessions: Sessions;
  readonly counters: Counters;
  readonly maxClientIdBytes: number;
  /** The connection that has this client id now. */
  readonly connectedAs: (clientId: string) => Connection | undefined;
  readonly onValidatorError: (error: unknown) => void;
}

export class RefusedError extends Error {
  readonly returnCode: number;

  constructor(refusal: Refusal, why: string) {
    super(why);
    this.name = 'RefusedError';
    this.returnCode = connackCodes[refusal];
  }
}

/**
 * Decides on a CONNECT and fills in the connection's user, rights and session. Resolves with why it is refused, or
 * undefined. `clientId` is the one that aedes gave to a client without [MQTT-3.1.3-6].
 */
export async function admit(
  parts: AdmissionParts,
  connection: Connection,
  packet: ConnectPacket,
  clientId: string,
): Promise<RefusedError | undefined> {
  const { sessions, validator, connectedAs } = parts;
  const idFault = stringFault(clientId);
  if (idFault !== undefined) return refuse(parts, 'client-id-refused', `client id ${idFault}`);
  if (Buffer.byteLength(clientId) > parts.maxClientIdBytes)
    return refuse(parts, 'client-id-refused', 'the client id is too long');
  if (packet.clientId === '' && !packet.clean)
    return refuse(parts, 'client-id-refused', 'a kept session needs a client id [MQTT-3.1.3-8]');

  const decision = await decide(parts, connection, packet, clientId, validator);
  if (!decision.accepted) return refuse(parts, decision.refusal, decision.refusal);
  const { user, rights } = decision;
  // Of a user who is gone it goes to nobody, and would keep the client id from all others until it expires.
  const owner = sessions.get(clientId)?.user;
  if (owner !== undefined && !parts.isUser(owner)) await sessions.remove(clientId);
  const othersClientId = () =>
    refuse(parts, 'client-id-refused', 'the client id belongs to another user');
  const connected = connectedAs(clientId);
  if (connected !== undefined && connected.user !== user) return othersClientId();
  if (!mayTake(sessions.get(clientId), user, rights)) return othersClientId();
  const { will } = packet;
  const willFault = will && topicFault(will.topic);
  if (will && (willFault !== undefined || !rights.mayPublish(will.topic)))
    return refuse(parts, 'not-authorized', `the will's topic ${willFault ?? 'is not permitted'}`);

  connection.clientId = clientId;
  connection.user = user;
  connection.rights = rights;
  if (packet.clean) return undefined;
  if (sessions.get(clientId) === undefined && sessions.full)
    return refuse(parts, 'server-unavailable', 'there is no room for another session');
  const session = await sessions.open(clientId, user);
  if (!mayTake(session, user, rights)) return othersClientId();
  sessions.give(session, user);
  connection.session = session;
  return undefined;
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
  return [...session.subscriptions.keys()].every((filter) => rights.maySubscribe(filter));
}

async function decide(
  { onValidatorError }: AdmissionParts,
  { address, transport, certificateName }: Connection,
  { username, password }: ConnectPacket,
  clientId: string,
  validator: ConnectionValidator,
) {
  try {
    return await validator({
      clientId,
      username,
      password: password === undefined ? undefined : Buffer.from(password),
      address,
      tls: transport === 'tls' || transport === 'wss',
      certificateName,
    });
  } catch (error) {
    onValidatorError(error);
    return { accepted: false, refusal: 'server-unavailable' } as const;
  }
}

function refuse({ counters }: AdmissionParts, refusal: Refusal, why: string): RefusedError {
  const counter = {
    'client-id-refused': 'refusedClientId',
    'server-unavailable': 'refusedUnavailable',
    'bad-user-or-password': 'refusedPassword',
    'not-authorized': 'refusedNotAuthorized',
  } as const;
  counters[counter[refusal]]++;
  return new RefusedError(refusal, why);
}
