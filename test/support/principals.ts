// Callers of the api with rights, for tests.
import { type Principal, type Right, rights } from '../../functions/api/access/principal.ts';
import { principalOf } from '../../functions/api/access/scopes.ts';

/** A caller with rights given as filters; an empty right is none. */
export function principal(id: string, given: Partial<Record<Right, string>>): Principal {
  const scopes = rights.flatMap((right) => {
    const filter = given[right];
    return filter === undefined ? [] : [{ kind: 'topics' as const, right, filter }];
  });
  return principalOf(`token:${id}`, scopes);
}
