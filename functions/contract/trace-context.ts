// The W3C Trace Context of a message, which is in the user properties `traceparent` and `tracestate` of MQTT 5, or of a
// request, which has it in headers. Pure.
import type { Message } from './message.ts';

export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** Version ff is forbidden, and ids of zeros alone are none. Versions above 00 may have more behind the flags. */
const traceparentForm =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** 512 characters have to be passed on; a header has printable ASCII alone. */
const tracestateForm = /^[\x20-\x7e]{1,512}$/;

/** Undefined where the device gave none, or something that is none. A state without a parent says nothing. */
export function traceContextIn({
  properties,
}: Pick<Message, 'properties'>): TraceContext | undefined {
  const pairs = properties?.userProperties;
  if (pairs === undefined) return undefined;
  return traceContextOf(firstValue(pairs, 'traceparent'), firstValue(pairs, 'tracestate'));
}

/** The same of the two texts, as HTTP has them in headers. */
export function traceContextOf(
  traceparent: string | undefined,
  state: string | undefined,
): TraceContext | undefined {
  if (traceparent === undefined || !traceparentForm.test(traceparent)) return undefined;
  const tracestate = state?.trim();
  if (tracestate === undefined || !tracestateForm.test(tracestate)) return { traceparent };
  return { traceparent, tracestate };
}

function firstValue(
  pairs: NonNullable<NonNullable<Message['properties']>['userProperties']>,
  wanted: string,
): string | undefined {
  return pairs.find(([name]) => name === wanted)?.[1];
}
