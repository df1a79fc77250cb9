// What ingest says it has stored, as it happens: good for waiting and for timing, while the scan judges.
import type { Store } from '../../../functions/ingest/storing/message-store.ts';
import { numberIn } from './publisher.ts';

/** The same store; adds the number of each message that it has stored to `numbers`. */
export function recordingStored(store: Store, numbers: Set<number>): Store {
  return {
    ...store,
    async put(messages, onDuplicates) {
      const failures = await store.put(messages, onDuplicates);
      const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { id, payload } of messages) {
        const number = failed.has(id) ? undefined : numberIn(Buffer.from(payload));
        if (number !== undefined) numbers.add(number);
      }
      return failures;
    },
  };
}
