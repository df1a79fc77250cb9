// Between spans and their collector: a queue with a bound, so that a collector that is away or slow costs some memory and
// nothing else, and a count of what was lost by that.
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';

export interface BoundedProcessorOptions {
  readonly exporter: SpanExporter;
  /** Spans that wait or are on their way. */
  readonly maxQueued: number;
  readonly exportTimeoutMs: number;
  /** Told when spans begin not to be taken, with the reason; and with undefined when they are again. */
  readonly onTrouble: (reason: string | undefined) => void;
}

export class BoundedProcessor extends BatchSpanProcessor {
  readonly #maxQueued: number;
  readonly #state: { waiting: number; lost: number };

  constructor({ exporter, maxQueued, exportTimeoutMs, onTrouble }: BoundedProcessorOptions) {
    const state = { waiting: 0, lost: 0 };
    let isTroubled = false;
    const counting: SpanExporter = {
      export(spans, done) {
        exporter.export(spans, (result) => {
          state.waiting -= spans.length;
          // 0 is success.
          const isLost = result.code !== 0;
          if (isLost) state.lost += spans.length;
          if (isLost !== isTroubled) onTrouble(isLost ? String(result.error?.message) : undefined);
          isTroubled = isLost;
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
    };
    super({
      exporter: counting,
      maxQueueSize: maxQueued,
      maxExportBatchSize: Math.min(512, maxQueued),
      scheduledDelayMillis: 1000,
      exportTimeoutMillis: exportTimeoutMs,
    });
    this.#maxQueued = maxQueued;
    this.#state = state;
  }

  /** Spans that were not taken: by the queue, which was full, or by the collector. */
  get lost(): number {
    return this.#state.lost;
  }

  override onEnd(span: ReadableSpan): void {
    if (this.#state.waiting >= this.#maxQueued) {
      this.#state.lost++;
      return;
    }
    this.#state.waiting++;
    super.onEnd(span);
  }
}
