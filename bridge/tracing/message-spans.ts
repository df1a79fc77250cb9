// Spans of a route: of each message from its PUBLISH until it is settled, and of each request with it.
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Message } from '../../functions/contract/message.ts';
import { traceContextIn } from '../../functions/contract/trace-context.ts';
import type { RequestOutcome, RequestSpan, RequestSpans } from '../forwarding/request-spans.ts';
import type { HandlerRequest } from '../handler/request.ts';
import { headersOf, isSampled, isSampledContext, parentOf } from './span-context.ts';

/** Links of a span; of a larger batch the others have their link to the request alone. */
export const maxLinks = 512;

/** Characters of a text in a span. */
const maxText = 256;

export class MessageSpans implements RequestSpans {
  readonly #tracer: Tracer;
  readonly #route: string;
  /** Of messages that a request was made for; those that the broker sends again have a new one. */
  readonly #open = new WeakMap<Message, Span>();

  constructor(tracer: Tracer, route: string) {
    this.#tracer = tracer;
    this.#route = route;
  }

  /**
   * A batch is one request of many traces: its span is in that of the first message that is sampled, with links to the
   * others, and they have one to it.
   */
  begin(messages: readonly Message[], request: HandlerRequest): RequestSpan {
    const spans = messages.map((message) => this.#spanOf(message));
    const sampled = spans.filter(isSampled);
    const parent = sampled[0] ?? spans[0];
    const span = this.#requestSpan(
      messages,
      request,
      parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent),
      sampled.slice(1).map((other) => other.spanContext()),
    );
    for (const other of sampled.slice(1)) other.addLink({ context: span.spanContext() });
    return {
      request: within(span, request),
      end: (outcome) => this.#end(messages, span, outcome),
    };
  }

  /**
   * Their own spans ended when they came. The request is in the trace that the first of them names which is sampled, with
   * links to those of the others.
   */
  beginAgain(messages: readonly Message[], request: HandlerRequest): RequestSpan {
    const contexts = messages.flatMap((message) => {
      const given = traceContextIn(message);
      return given === undefined ? [] : parentOf(given);
    });
    const linksOf = (context: Context) => trace.getSpanContext(context) ?? [];
    const [parent = ROOT_CONTEXT, ...others] = contexts.filter((context) =>
      isSampledContext(trace.getSpanContext(context)),
    );
    const span = this.#requestSpan(messages, request, parent, others.flatMap(linksOf));
    const replayId = messages[0]?.replayId;
    if (replayId !== undefined) span.setAttribute('causeway.replay_id', replayId);
    return {
      request: within(span, request),
      end(outcome) {
        outcomeTo(span, outcome);
        span.end();
      },
    };
  }

  #requestSpan(
    messages: readonly Message[],
    { method, url }: HandlerRequest,
    parent: Context,
    linked: readonly SpanContext[],
  ): Span {
    return this.#tracer.startSpan(
      `${method} ${this.#route}`,
      {
        kind: SpanKind.CLIENT,
        links: linked.slice(0, maxLinks).map((context) => ({ context })),
        attributes: {
          'http.request.method': method,
          'server.address': url.hostname,
          'server.port': Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
          'messaging.batch.message_count': messages.length,
          'causeway.route': this.#route,
        },
      },
      parent,
    );
  }

  ended(message: Message, state: Parameters<RequestSpans['ended']>[1]): void {
    const span = this.#spanOf(message);
    this.#open.delete(message);
    span.setAttribute('causeway.state', state);
    if (state !== 'filtered') span.setStatus({ code: SpanStatusCode.ERROR, message: state });
    span.end();
  }

  #end(messages: readonly Message[], span: Span, outcome: RequestOutcome): void {
    outcomeTo(span, outcome);
    span.end();
    const { verdict } = outcome;
    if (verdict.kind !== 'answered') return;
    for (const message of messages) {
      if (verdict.failures.has(message.id)) continue;
      this.#open.get(message)?.setAttribute('causeway.state', 'delivered').end();
      this.#open.delete(message);
    }
  }

  #spanOf(message: Message): Span {
    const known = this.#open.get(message);
    if (known !== undefined) return known;
    const span = this.#tracer.startSpan(
      `receive ${this.#route}`,
      {
        kind: SpanKind.CONSUMER,
        startTime: Date.parse(message.time),
        attributes: {
          'messaging.system': 'mqtt',
          'messaging.operation.type': 'receive',
          'messaging.destination.name': message.topic.slice(0, maxText),
          'messaging.message.id': message.id,
          'messaging.message.body.size': message.payload.byteLength,
          'causeway.route': this.#route,
        },
      },
      parentOf(traceContextIn(message)),
    );
    this.#open.set(message, span);
    return span;
  }
}

/** The request with the trace context of its span. */
function within(span: Span, request: HandlerRequest): HandlerRequest {
  const { tracestate: _, ...headers } = request.headers;
  return { ...request, headers: { ...headers, ...headersOf(span) } };
}

function outcomeTo(span: Span, { status, verdict }: RequestOutcome): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  span.setAttribute('causeway.verdict', verdict.kind);
  if (verdict.kind !== 'answered')
    span.setStatus({ code: SpanStatusCode.ERROR, message: verdict.reason.slice(0, maxText) });
}
