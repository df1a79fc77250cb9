// What storing a stretch of traffic writes: messages, registry and index, in an embedded database and at a simulated time.
import type { StorageForm } from '../../functions/contract/storage-form.ts';
import { mergeRuns } from '../../functions/index-runs/merge-runs.ts';
import { tick } from '../../functions/index-runs/tick.ts';
import { createStore } from '../../functions/ingest/storing/message-store.ts';
import type { ItemSource } from '../../functions/table/partition.ts';
import { countWrites, type Written } from './counting.ts';
import { createTraffic, type Kind } from './traffic.ts';

export interface Stretch {
  readonly kind: Kind;
  readonly topics: number;
  /** Messages in a request. */
  readonly batch: number;
  readonly perSecond: number;
  readonly storage: StorageForm;
  readonly seconds: number;
}

export interface Counted extends Written {
  readonly messages: number;
  /** Index units of looks at the log; what merges have written is the rest of them. */
  readonly tickUnits: number;
}

const startMs = Date.UTC(2026, 0, 1);
const tickMs = 30_000;

/** `isTold`: see {@link countWrites}. */
export async function writtenBy(
  table: ItemSource,
  stretch: Stretch,
  isTold = false,
): Promise<Counted> {
  const { kind, topics, batch, perSecond, storage, seconds } = stretch;
  const written = countWrites(table.client, isTold);
  const messages = perSecond * seconds;
  let sent = 0;
  const now = () => startMs + Math.floor((sent * 1000) / perSecond);
  const next = createTraffic(kind, topics, now);
  const store = createStore({ ...table, retentionDays: 30, now });
  let tickedMs = startMs;
  let tickUnits = 0;
  const index = async (atMs: number) => {
    const before = written.units.index;
    await tick({ ...table, now: () => atMs });
    tickUnits += written.units.index - before;
    while (await mergeRuns({ ...table, now: () => atMs }));
  };
  while (sent < messages) {
    const request = Array.from({ length: Math.min(batch, messages - sent) }, () => {
      sent++;
      return next();
    });
    const failures = await store.put(request, { storage });
    if (failures.length > 0) throw new Error(JSON.stringify(failures[0]));
    if (storage === 'packed' && now() - tickedMs >= tickMs) {
      tickedMs = now();
      await index(now());
    }
  }
  return { ...written, messages, tickUnits };
}
