// Spans of commands: of each PUBLISH until the broker has it, in the trace of who asked for it, and of the device's reply.
import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { LRUCache } from 'lru-cache';
import { traceContextIn } from '../../functions/contract/trace-context.ts';
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import type { CommandSpans } from '../commands/command-spans.ts';
import type { PublishResult } from '../commands/publish-window.ts';
import { parentOf } from './span-context.ts';

/** Commands whose reply may still find its trace. */
const maxAwaited = 10_000;
const maxText = 256;

export class PublishSpans implements CommandSpans {
  readonly #tracer: Tracer;
  readonly #sent = new LRUCache<string, { readonly parent: Context; readonly sentMs: number }>({
    max: maxAwaited,
  });

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  publishing(command: QueuedCommand): (result: PublishResult) => void {
    const { id, topic, payload, qos, awaitsReply } = command;
    const span = this.#tracer.startSpan(
      'publish command',
      {
        kind: SpanKind.PRODUCER,
        attributes: {
          'messaging.system': 'mqtt',
          'messaging.operation.type': 'send',
          'messaging.destination.name': topic.slice(0, maxText),
          'messaging.message.id': id,
          'messaging.message.body.size': payload.byteLength,
          'messaging.mqtt.qos': qos,
        },
      },
      parentOf(traceContextIn(command)),
    );
    const parent = trace.setSpan(ROOT_CONTEXT, span);
    if (awaitsReply) this.#sent.set(id, { parent, sentMs: Date.now() });
    return (result) => {
      span.setAttribute('causeway.result', result.kind);
      if (result.kind !== 'sent')
        span.setStatus({ code: SpanStatusCode.ERROR, message: result.kind });
      span.end();
    };
  }

  answered(commandId: string, responseTopic: string): void {
    const sent = this.#sent.get(commandId);
    if (sent === undefined) return;
    this.#sent.delete(commandId);
    this.#tracer
      .startSpan(
        'reply of a device',
        {
          kind: SpanKind.CONSUMER,
          startTime: sent.sentMs,
          attributes: {
            'messaging.system': 'mqtt',
            'messaging.operation.type': 'receive',
            'messaging.destination.name': responseTopic.slice(0, maxText),
            'messaging.message.conversation_id': commandId,
          },
        },
        sent.parent,
      )
      .end();
  }
}
