// Traces to an OpenTelemetry collector, by OTLP over HTTP. To be loaded on demand alone, by who has its address: the SDK
// takes memory and time that nobody else should pay for.
import type { Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import packageJson from '../../package.json' with { type: 'json' };
import type { CommandSpans } from '../commands/command-spans.ts';
import type { RequestSpans } from '../forwarding/request-spans.ts';
import { BoundedProcessor } from './bounded-processor.ts';
import { MessageSpans, maxLinks } from './message-spans.ts';
import { PublishSpans } from './publish-spans.ts';

export interface TracingOptions {
  /** Base address of the collector; spans go to `v1/traces` there. */
  readonly endpoint: string;
  /** Headers of each request, such as a token. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Share of the traces that begin here, 0 to 1; those of devices and callers are sampled where they say so. */
  readonly ratio: number;
  readonly log: Logger;
  /** Spans that wait for the collector at once. Default 4,096, of about 1 KB each. */
  readonly maxQueued?: number;
}

export interface Tracing {
  readonly tracer: Tracer;
  readonly commands: CommandSpans;
  /** Of a route's messages and requests. */
  ofRoute(route: string): RequestSpans;
  /** Spans that were not taken, by a full queue or the collector. */
  lostSpans(): number;
  /** Sends what waits, for two seconds at most, and ends. */
  close(): Promise<void>;
}

const exportTimeoutMs = 5000;
const closeMs = 2000;

export function openTracing(options: TracingOptions): Tracing {
  const { endpoint, headers = {}, serviceName, ratio, log, maxQueued = 4096 } = options;
  const processor = new BoundedProcessor({
    exporter: new OTLPTraceExporter({
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      headers: { ...headers },
      timeoutMillis: exportTimeoutMs,
    }),
    maxQueued,
    exportTimeoutMs,
    onTrouble: (reason) =>
      reason === undefined
        ? log.info('the collector takes spans again')
        : log.warn({ reason }, 'the collector takes no spans: they are lost, and nothing else is'),
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.version': packageJson.version,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanLimits: { linkCountLimit: maxLinks },
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('causeway', packageJson.version);
  const commands = new PublishSpans(tracer);
  return {
    tracer,
    commands,
    ofRoute: (route) => new MessageSpans(tracer, route),
    lostSpans: () => processor.lost,
    async close() {
      const tooLong = pause(closeMs, undefined, { ref: false });
      await Promise.race([provider.shutdown().catch(() => {}), tooLong]);
    },
  };
}
