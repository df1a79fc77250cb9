// Callers of the api with rights, for tests.
import type { Principal, Right } from '../../functions/api/access/principal.ts';
import { matchesFilter } from '../../functions/contract/topic.ts';

/** A caller with rights given as filters; an empty right is none. */
export function principal(id: string, rights: Partial<Record<Right, string>>): Principal {
  return {
    id: `token:${id}`,
    isAdmin: false,
    can(right, topic) {
      const filter = rights[right];
      return filter !== undefined && matchesFilter(filter, topic);
    },
  };
}
