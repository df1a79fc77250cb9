// What `where` and `transform` make of messages: batch by batch in a thread, until the one that stands in the way of the
// others stands alone.
import type { Message, MessageProperties } from '../contract/message.ts';
import { expressionLimits } from './limits.ts';
import { type Expressions, expressionThread, type Job, type Thread } from './thread.ts';

export type Outcome =
  /** With the result of `transform`, where there is one, in place of its payload. */
  | { readonly kind: 'passed'; readonly message: Message }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Evaluator {
  /**
   * Outcomes of the first messages, in their order: of all of them, or of as many as make results of `maxBytes`, and of
   * one at least. Calls wait for each other. Rejects where no thread can be started.
   */
  evaluate(messages: readonly Message[], maxBytes: number): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

/** `thread` is by default one of Node's. */
export function createEvaluator(
  expressions: Expressions,
  thread: Thread = expressionThread(expressions),
): Evaluator {
  let last: Promise<unknown> = Promise.resolve();

  async function outcomesOf(messages: readonly Message[], maxBytes: number): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    let bytes = 0;
    /** Index of a message on which the thread was ended: it is sent by itself. */
    let suspect: number | undefined;
    while (outcomes.length < messages.length && (outcomes.length === 0 || bytes < maxBytes)) {
      const start = outcomes.length;
      const first = messages[start] as Message;
      const tooLarge = sizeFault(first);
      if (tooLarge !== undefined) {
        outcomes.push({ kind: 'failed', reason: tooLarge });
        continue;
      }
      const together = messages.slice(start, endOfJob(messages, start, suspect));
      const end = await thread.run(jobOf(together, maxBytes));
      if (end.kind === 'ended') {
        if (together.length === 1) outcomes.push({ kind: 'failed', reason: end.reason });
        else suspect = start + Math.min(end.index, together.length - 1);
        continue;
      }
      for (const [index, outcome] of end.outcomes.entries()) {
        const message = together[index] as Message;
        if (outcome.kind === 'passed') {
          outcomes.push({ kind: 'passed', message: withBody(message, outcome) });
          bytes += outcome.body?.byteLength ?? 0;
        } else outcomes.push(outcome);
      }
    }
    return outcomes;
  }

  return {
    evaluate(messages, maxBytes) {
      const next = last.then(() => outcomesOf(messages, maxBytes));
      last = next.catch(() => {});
      return next;
    },
    close: () => thread.close(),
  };
}

function sizeFault({ payload: { byteLength } }: Message): string | undefined {
  const { maxPayloadBytes } = expressionLimits;
  if (byteLength <= maxPayloadBytes) return undefined;
  return `its payload has ${byteLength} bytes, and an expression takes ${maxPayloadBytes}`;
}

/** Where the job ends that begins with a message: before the suspect, or behind it where it is the first. */
function endOfJob(
  messages: readonly Message[],
  start: number,
  suspect: number | undefined,
): number {
  if (suspect === start) return start + 1;
  const { maxJobMessages, maxJobBytes } = expressionLimits;
  const isBehind = suspect === undefined || suspect < start;
  const maxEnd = Math.min(
    messages.length,
    start + maxJobMessages,
    isBehind ? messages.length : suspect,
  );
  let end = start;
  for (let bytes = 0; end < maxEnd; end++) {
    const message = messages[end] as Message;
    bytes += message.payload.byteLength;
    if (end > start && (bytes > maxJobBytes || sizeFault(message) !== undefined)) break;
  }
  return end;
}

/** Payloads are copied into one piece of memory: each is a view of what came from a socket, which is not given away. */
function jobOf(messages: readonly Message[], maxBytes: number): Job {
  const length = messages.reduce((sum, { payload }) => sum + payload.byteLength, 0);
  const payloads = new Uint8Array(length);
  const ends: number[] = [];
  let end = 0;
  for (const { payload } of messages) {
    payloads.set(payload, end);
    end += payload.byteLength;
    ends.push(end);
  }
  const maxResultBytes = Math.min(expressionLimits.maxResultBytes, maxBytes);
  return { inputs: messages.map(inputOf), payloads, ends, maxResultBytes };
}

/** A message without its payload, under the names that the query API has. */
function inputOf({ payload: _, packetId: __, properties, ...message }: Message): object {
  if (properties === undefined) return message;
  const { correlationData, ...shown } = properties;
  const base64 = correlationData && Buffer.from(correlationData).toString('base64');
  return { ...message, ...shown, ...(base64 !== undefined && { correlationDataBase64: base64 }) };
}

/** The message with what `transform` gave in place of its payload, and of what its device said of that. */
function withBody(
  message: Message,
  { body, isText }: { readonly body?: Uint8Array; readonly isText?: boolean },
): Message {
  if (body === undefined) return message;
  const contentType = isText ? 'text/plain; charset=utf-8' : 'application/json';
  const properties: MessageProperties = { ...message.properties, contentType, payloadFormat: 1 };
  return { ...message, payload: body, properties };
}
