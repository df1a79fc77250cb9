// Traces as items of the table: those of one message stand together.
import { type Trace, traceSchema } from '../contract/trace.ts';
import { type Item, textAt } from './item.ts';

/** Partition of the traces of a message, one for each route, and for each replay in which it had trouble. An id has 256 bytes at most. */
export function tracePartition(messageId: string): string {
  return `trace/${messageId}`;
}

export function traceItem(messageId: string, trace: Trace, expiresAtSeconds: number): Item {
  return {
    pk: { S: tracePartition(messageId) },
    sk: { S: trace.replayId === undefined ? trace.route : `${trace.route} ${trace.replayId}` },
    trace: { S: JSON.stringify(trace) },
    expiresAt: { N: String(expiresAtSeconds) },
  };
}

/** The trace that an item stores. Throws where it is none: that is a bug or a foreign write. */
export function traceOf(item: Item): Trace {
  return traceSchema.parse(JSON.parse(textAt(item, 'trace')));
}
