// What the token may do: what it may not is neither shown nor asked for.
import type { Failure, Result } from '../client/client.ts';
import type { Me } from '../client/operations.ts';
import { createResource } from './resource.ts';
import { client } from './session.ts';

export const me = createResource((signal) => client.get('/v1/me', { signal }));

export const isAdmin = (): boolean => me.value.value?.isAdmin ?? false;

/** Whether one of the scopes gives this right on anything. */
export function hasRight(
  { isAdmin: all, scopes }: Me,
  right: 'read' | 'publish' | 'delete',
): boolean {
  return all || scopes.some((scope) => scope.startsWith(`${right}:`));
}

/** Whether it may see clients: filters that begin with a wildcard match no topic that starts with `$`. */
export const seesClients = ({ isAdmin: all, scopes }: Me): boolean =>
  all || scopes.some((scope) => scope.startsWith('read:$presence/'));

export const forbidden: Failure = {
  code: 'forbidden',
  status: 403,
  title: 'The token does not have the right to this',
  detail: 'it needs the scope admin',
};

/** A call that takes the scope `admin`: without it the server is not asked. */
export const forAdmin =
  <T>(load: (signal: AbortSignal) => Promise<Result<T>>) =>
  async (signal: AbortSignal): Promise<Result<T>> =>
    isAdmin() ? load(signal) : { ok: false, failure: forbidden };
