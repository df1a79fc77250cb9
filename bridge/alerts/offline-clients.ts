// The clients that are offline, of those that somebody wants to be told of: as ingest says it in the receipts of presence
// messages.
import type { ClientChange } from '../../functions/contract/receipt.ts';
import { matchesFilter } from '../../functions/contract/topic.ts';
import type { Condition } from './condition.ts';

/** Of more at once, which is no matter of single clients, nobody is told. */
const maxClients = 1000;

export class OfflineClients {
  readonly #filters: readonly string[];
  readonly #offline = new Map<string, Condition>();

  /** Topic filters that client ids are matched with. */
  constructor(filters: readonly string[]) {
    this.#filters = filters;
  }

  note(changes: readonly ClientChange[]): void {
    for (const { clientId, status, since, reason } of changes) {
      if (status === 'online') this.#offline.delete(clientId);
      else if (
        this.#filters.some((filter) => matchesFilter(filter, clientId)) &&
        (this.#offline.size < maxClients || this.#offline.has(clientId))
      )
        this.#offline.set(clientId, {
          kind: 'client-offline',
          subject: clientId,
          reason: reason ?? 'no reason is known',
          sinceMs: Date.parse(since),
        });
    }
  }

  now(): Condition[] {
    return [...this.#offline.values()];
  }
}
