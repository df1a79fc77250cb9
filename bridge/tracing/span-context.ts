// Trace contexts between W3C's headers and spans. Pure.
import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
import type { TraceContext } from '../../functions/contract/trace-context.ts';

/** The context of a caller or a device, as the parent of spans; without one, they begin a trace. */
export function parentOf(given: TraceContext | undefined): Context {
  if (given === undefined) return ROOT_CONTEXT;
  const { traceparent, tracestate } = given;
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    // Whether it is sampled; other bits are nobody's yet.
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  });
}

/** The headers by which others go on with a span's trace. */
export function headersOf(span: Span): Record<'traceparent', string> & { tracestate?: string } {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const tracestate = traceState?.serialize() ?? '';
  return {
    traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
    ...(tracestate !== '' && { tracestate }),
  };
}

export function isSampled(span: Span): boolean {
  return isSampledContext(span.spanContext());
}

export function isSampledContext(context: SpanContext | undefined): boolean {
  return context !== undefined && (context.traceFlags & 1) === 1;
}
