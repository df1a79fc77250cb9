// The user of this process's own clients, such as the bridge in `npm start`: its password is made at start, is in no
// file, and is told to nobody outside.
import { randomBytes } from 'node:crypto';
import { secretCheck } from '../../../functions/contract/secret.ts';
import type { ConnectionValidator } from './access.ts';
import { allRights } from './topic-rights.ts';

export interface OwnUser {
  readonly name: string;
  readonly password: string;
  /** Begins its client ids: nobody else gets in with one, or could have its sessions before it does. */
  readonly clientIdPrefix: string;
}

/** Begins the names of the broker's own users; no other user's name may. */
export const ownNamePrefix = '$';

/** Whether a client of this process is meant. */
export const isOwn = (user: string | undefined) => user?.startsWith(ownNamePrefix) ?? false;

/** The name stays the same over restarts, as sessions belong to names; the password does not. */
export function newOwnUser(): OwnUser {
  return {
    name: `${ownNamePrefix}causeway`,
    password: randomBytes(32).toString('base64url'),
    clientIdPrefix: 'causeway',
  };
}

/** Lets the own user in, with all rights; asks `validator` about everybody else. */
export function withOwnUser(
  { name, password, clientIdPrefix }: OwnUser,
  validator: ConnectionValidator,
): ConnectionValidator {
  const isPassword = secretCheck(password);
  return (request) => {
    if (request.username !== name) {
      if (!request.clientId.startsWith(`${clientIdPrefix}-`)) return validator(request);
      const why = `client ids that begin with ${clientIdPrefix}- are the server's own`;
      return { accepted: false, refusal: 'client-id-refused', why };
    }
    return request.password !== undefined && isPassword(request.password.toString())
      ? { accepted: true, user: name, rights: allRights }
      : { accepted: false, refusal: 'bad-user-or-password' };
  };
}
