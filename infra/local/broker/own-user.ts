// The user of this process's own clients, such as the bridge in `npm start`: its password is made at start, is in no
// file, and is told to nobody outside.
import { randomBytes } from 'node:crypto';
import { secretCheck } from '../../../functions/contract/secret.ts';
import type { ConnectionValidator } from './access.ts';
import { allRights } from './topic-rights.ts';

export interface OwnUser {
  readonly name: string;
  readonly password: string;
}

/** Begins the names of the broker's own users; no other user's name may. */
export const ownNamePrefix = '$';

/** The name stays the same over restarts, as sessions belong to names; the password does not. */
export function newOwnUser(): OwnUser {
  return { name: `${ownNamePrefix}causeway`, password: randomBytes(32).toString('base64url') };
}

/** Lets the own user in, with all rights; asks `validator` about everybody else. */
export function withOwnUser(
  { name, password }: OwnUser,
  validator: ConnectionValidator,
): ConnectionValidator {
  const isPassword = secretCheck(password);
  return (request) => {
    if (request.username !== name) return validator(request);
    return request.password !== undefined && isPassword(request.password.toString())
      ? { accepted: true, user: name, rights: allRights }
      : { accepted: false, refusal: 'bad-user-or-password' };
  };
}
