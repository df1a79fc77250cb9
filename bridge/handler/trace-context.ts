// W3C Trace Context to a handler: that of the device, as an MQTT 5 device gives it in user properties, or one that begins
// here. Pure.
import { randomBytes } from 'node:crypto';
import type { Message } from '../../functions/contract/message.ts';
import { type TraceContext, traceContextIn } from '../../functions/contract/trace-context.ts';
import type { Headers } from './header-text.ts';

/** Sampled, and of random ids (level 2): whether the trace is kept is for the receiver to decide. */
const flags = '03';

/** A new trace; of the first 24 of these bytes, which are to be random. */
export function newTraceparent(bytes: Buffer = randomBytes(24)): string {
  return `00-${bytes.toString('hex', 0, 16)}-${bytes.toString('hex', 16, 24)}-${flags}`;
}

/** The headers of one message's request: `ownBytes`, the same at every try, give the trace of one that has none. */
export function traceHeaders(message: Message, ownBytes: Buffer): Headers {
  const { traceparent, tracestate }: TraceContext = traceContextIn(message) ?? {
    traceparent: newTraceparent(ownBytes),
  };
  return { traceparent, ...(tracestate !== undefined && { tracestate }) };
}
