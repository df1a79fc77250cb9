// Traces in a DynamoDB table, written behind: nothing waits for them, and what does not fit is counted and left out.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Trace } from '../../functions/contract/trace.ts';
import { putBatch } from '../../functions/table/batch-write.ts';
import { traceItem } from '../../functions/table/trace-item.ts';
import { untilAborted } from '../base/aborted.ts';
import type { TraceStore } from './traces.ts';

export interface TraceTableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** Days after receipt of its message at which a trace expires. */
  readonly retentionDays: number;
  /** Told of traces that were not kept. */
  readonly onLost: (count: number) => void;
}

/** Traces that wait to be written; after a long outage a whole window is settled at once. */
const maxWaiting = 20_000;
/** BatchWriteItem takes 25 items. */
const maxItems = 25;
const writeBudgetMs = 5000;

export function traceTable(options: TraceTableOptions): TraceStore {
  const { client, tableName, retentionDays, onLost } = options;
  /** By message, route and replay: BatchWriteItem refuses one key twice. */
  const waiting = new Map<string, { readonly messageId: string; readonly trace: Trace }>();
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (waiting.size > 0) {
      const next = [...waiting].slice(0, maxItems);
      for (const [key] of next) waiting.delete(key);
      const items = next.map(([, { messageId, trace }]) =>
        traceItem(messageId, trace, expirySeconds(trace, retentionDays)),
      );
      const target = { client, tableName, deadlineMs: Date.now() + writeBudgetMs, now: Date.now };
      const unput = await putBatch(items, target);
      if (unput.items.length > 0) onLost(unput.items.length);
    }
    writing = undefined;
  }

  return {
    keep(messageId, trace) {
      if (waiting.size >= maxWaiting) return onLost(1);
      waiting.set(`${trace.route}\n${trace.replayId ?? ''}\n${messageId}`, { messageId, trace });
      writing ??= write();
    },
    async drain(signal) {
      if (writing !== undefined) await Promise.race([writing, untilAborted(signal)]);
      if (waiting.size > 0) onLost(waiting.size);
    },
  };
}

function expirySeconds({ time }: Trace, retentionDays: number): number {
  return Math.floor(Date.parse(time) / 1000) + retentionDays * 86_400;
}
