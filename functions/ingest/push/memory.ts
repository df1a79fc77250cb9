// Which pushes have been stored, in the table: one that is sent again, by whomever, is not stored again.
import { getBatch } from '../../table/batch-get.ts';
import { putBatch } from '../../table/batch-write.ts';
import type { ItemSource } from '../../table/partition.ts';

export interface PushMemory {
  has(pushId: string): Promise<boolean>;
  /** Rejects where it could not be written down: then the platform has to push once more. */
  remember(pushId: string): Promise<void>;
}

export interface PushMemoryOptions extends ItemSource {
  /** Days that a push is remembered. */
  readonly days: number;
  readonly now?: () => number;
}

const writeBudgetMs = 5000;

/** A push costs a read unit and a write unit. */
export function createPushMemory({
  days,
  now = Date.now,
  ...source
}: PushMemoryOptions): PushMemory {
  const keyOf = (pushId: string) => ({ pk: { S: `push/${pushId}` }, sk: { S: 'stored' } });
  return {
    async has(pushId) {
      const [found] = await getBatch(source, [keyOf(pushId)]);
      // TTL deletes within days: what has expired is forgotten at once.
      return Number(found?.['expiresAt']?.N ?? 0) > now() / 1000;
    },
    async remember(pushId) {
      const expiresAt = { N: String(Math.ceil(now() / 1000) + days * 86_400) };
      const target = { ...source, deadlineMs: now() + writeBudgetMs, now };
      const unput = await putBatch([{ ...keyOf(pushId), expiresAt }], target);
      if (unput.items.length > 0) throw new Error('the push could not be remembered');
    },
  };
}
