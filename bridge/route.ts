// One route's pipeline: session → lanes and batches → sink → settle. Nothing here is shared with another route.
import type { Logger } from 'pino';
import { encodeEnvelope } from '../functions/contract/envelope.ts';
import { fullJitterMs } from './backoff.ts';
import { Batcher, type Unfinished } from './batcher.ts';
import type { BrokerConfig, RouteConfig } from './config.ts';
import type { Delivery, Enveloped } from './delivery.ts';
import { Session, type SessionState } from './session.ts';
import { createSink } from './sink.ts';
import type { Verdict } from './verdict.ts';

export interface RouteStatus {
  readonly name: string;
  readonly session: SessionState;
  /** Why the route holds its messages back, or undefined while they flow. */
  readonly holding: string | undefined;
}

export interface Route {
  status(): RouteStatus;
  /** Takes no more messages, settles what it has until `signal` aborts, and disconnects. */
  drain(signal: AbortSignal): Promise<void>;
}

const maxWindowBytes = 64 * 1024 * 1024;
const rejectedRetryMs = 30_000;

export function startRoute(broker: BrokerConfig, config: RouteConfig, log: Logger): Route {
  const sink = createSink(config);
  let holding: string | undefined;
  let failedInARow = 0;

  const batcher = new Batcher<Enveloped>({
    maxBatch: config.maxBatch,
    maxBatchBytes: config.maxBatchBytes,
    lingerMs: config.lingerMs,
    // While holding, one request at a time finds out whether the handler is back.
    limit: () => (holding === undefined ? config.concurrency : 1),
    send: forward,
  });

  const session = new Session({
    broker,
    clientId: `${broker.clientIdPrefix}-${config.name}-0`,
    filter: config.filter,
    qos: config.qos,
    window: config.window,
    maxWindowBytes,
    log,
    onDelivery: (delivery) => batcher.add(enveloped(delivery)),
    onQoS0Dropped: () => {},
  });

  async function forward(batch: readonly Enveloped[]): Promise<Unfinished<Enveloped>> {
    const verdict = await sink.post(batch);
    switch (verdict.kind) {
      case 'answered': {
        resume();
        const failed = batch.filter(({ id }) => verdict.failures.has(id));
        for (const { id, delivery } of batch) if (!verdict.failures.has(id)) delivery.settle();
        return { retry: failed, afterMs: failed.length === 0 ? 0 : fullJitterMs(4, 100, 30_000) };
      }
      case 'hold':
        hold(verdict);
        return { retry: batch, afterMs: 0 };
      case 'rejected':
        return split(batch, verdict.reason);
    }
  }

  /** Halves a rejected batch until the culprit stands alone. */
  async function split(
    batch: readonly Enveloped[],
    reason: string,
  ): Promise<Unfinished<Enveloped>> {
    if (batch.length === 1) {
      log.error({ reason }, 'the handler rejects a message');
      return { retry: batch, afterMs: rejectedRetryMs };
    }
    const middle = Math.ceil(batch.length / 2);
    const first = await forward(batch.slice(0, middle));
    // A topic that has to wait in the first half waits in the second, or its order would be lost.
    const waiting = new Set(first.retry.map(({ topic }) => topic));
    const rest = batch.slice(middle).filter(({ topic }) => !waiting.has(topic));
    const held = batch.slice(middle).filter(({ topic }) => waiting.has(topic));
    const second = rest.length === 0 ? { retry: [], afterMs: 0 } : await forward(rest);
    return {
      retry: [...first.retry, ...held, ...second.retry],
      afterMs: Math.max(first.afterMs, second.afterMs),
    };
  }

  function hold({ reason, retryAfterMs, broken }: Extract<Verdict, { kind: 'hold' }>): void {
    const forMs = retryAfterMs ?? fullJitterMs(failedInARow, 100, 30_000);
    failedInARow++;
    batcher.hold(forMs);
    if (holding !== reason)
      log[broken ? 'error' : 'warn']({ reason }, 'holding: the handler takes no messages');
    holding = reason;
  }

  function resume(): void {
    failedInARow = 0;
    if (holding === undefined) return;
    log.info('the handler takes messages again');
    holding = undefined;
  }

  return {
    status: () => ({ name: config.name, session: session.state, holding }),
    async drain(signal) {
      session.stopReading();
      const aborted = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.race([batcher.drain(), aborted]);
      batcher.discard();
      await session.close();
      await sink.close();
    },
  };
}

function enveloped(delivery: Delivery): Enveloped {
  const { message } = delivery;
  const envelope = encodeEnvelope(message);
  // One more byte for the comma between envelopes.
  return {
    delivery,
    topic: message.topic,
    id: message.id,
    envelope,
    bytes: Buffer.byteLength(envelope) + 1,
  };
}
