// A store in the test's memory, which keeps of each message what the judge has to see.
import type { Store } from '../../../functions/ingest/storing/message-store.ts';
import { keptOf } from './kept.ts';
import type { Kept } from './oracle.ts';

export interface MemoryStore extends Store {
  readonly kept: readonly Kept[];
}

export function createMemoryStore(): MemoryStore {
  const kept: Kept[] = [];
  return {
    kept,
    async put(messages) {
      kept.push(...messages.map(keptOf));
      return [];
    },
    canWrite: async () => true,
  };
}
