// Spans of a server of this process: of each request, in the trace of who asked, and of what is done for it.
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Hono } from 'hono';
import { traceContextOf } from '../../functions/contract/trace-context.ts';
import { headersOf, parentOf } from './span-context.ts';

/** As a Hono app has it. */
type Fetch = Hono['fetch'];

export class ServerSpans {
  readonly #tracer: Tracer;
  readonly #asking = new AsyncLocalStorage<Context>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Serves as `fetch` does, which finds the context of the request's span in its headers. */
  serving(name: string, fetch: Fetch): Fetch {
    return async (request, environment) => {
      const { headers, method } = request;
      const span = this.#tracer.startSpan(
        `${method} ${name}`,
        {
          kind: SpanKind.SERVER,
          attributes: { 'http.request.method': method, 'url.path': pathOf(request.url) },
        },
        parentOf(
          traceContextOf(
            headers.get('traceparent') ?? undefined,
            headers.get('tracestate') ?? undefined,
          ),
        ),
      );
      for (const [header, value] of Object.entries(headersOf(span))) headers.set(header, value);
      const context = trace.setSpan(ROOT_CONTEXT, span);
      try {
        const response = await this.#asking.run(context, () => fetch(request, environment));
        span.setAttribute('http.response.status_code', response.status);
        if (response.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
        return response;
      } finally {
        span.end();
      }
    };
  }

  /** Does a part of what the request of the moment asks for. */
  async doing<T>(name: string, part: () => Promise<T>): Promise<T> {
    const span = this.#tracer.startSpan(name, {}, this.#asking.getStore() ?? ROOT_CONTEXT);
    try {
      return await part();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  }
}

export function serverSpans({ tracer }: { readonly tracer: Tracer }): ServerSpans {
  return new ServerSpans(tracer);
}

/** Ids in it are many, and may be secret: of `/v1/commands/…`, the first two levels. */
function pathOf(url: string): string {
  return new URL(url).pathname.split('/').slice(0, 3).join('/');
}
