// A collector of OpenTelemetry, as far as a test needs one: takes OTLP over HTTP, in JSON, and has the spans in a list.
import { type Consumer, startConsumer } from './consumer.ts';

export interface CollectedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

export interface Collector {
  readonly url: string;
  readonly consumer: Consumer;
  spans(): CollectedSpan[];
}

export async function startCollector(): Promise<Collector> {
  const consumer = await startConsumer();
  return {
    url: consumer.url,
    consumer,
    spans: () =>
      consumer.consumed.flatMap(({ body }) => {
        const { resourceSpans } = JSON.parse(String(body));
        return resourceSpans.flatMap(
          ({ scopeSpans }: { scopeSpans: { spans: CollectedSpan[] }[] }) =>
            scopeSpans.flatMap(({ spans }) => spans),
        );
      }),
  };
}

/** An attribute as it was set. */
export function attributeOf({ attributes }: CollectedSpan, wanted: string): unknown {
  const value = attributes.find(({ key }) => key === wanted)?.value;
  return value && Object.values(value)[0];
}
