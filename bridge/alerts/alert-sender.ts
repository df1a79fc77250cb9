// Sends alerts one after the other, in a queue of its own: bounded, so that an endpoint that is away costs nothing but
// the oldest of them, and with a sink of its own, so that no message waits for it.
import type { Logger } from 'pino';
import { fullJitterMs } from '../../functions/contract/backoff.ts';
import { pause } from '../../functions/contract/pause.ts';
import { untilAborted } from '../base/aborted.ts';
import type { Secrets } from '../base/secrets.ts';
import type { AlertsConfig } from '../config/alerts.ts';
import { plainHeaders } from '../config/handler.ts';
import { routeSchema } from '../config/route.ts';
import type { HandlerRequest } from '../handler/request.ts';
import { openSigner } from '../handler/request-signing.ts';
import { createSink, type Sink } from '../handler/sink.ts';
import { userAgent } from '../handler/user-agent.ts';
import type { Alert } from './alert-event.ts';

export const maxQueuedAlerts = 100;
const timeoutMs = 10_000;
const retryBaseMs = 1000;
const retryCapMs = 60_000;

export class AlertSender {
  readonly #config: AlertsConfig;
  readonly #sink: Sink;
  readonly #log: Logger;
  readonly #queue: Alert[] = [];
  readonly #stop = new AbortController();
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;

  /** `secrets` is needed where the config names some. */
  static async open(
    config: AlertsConfig,
    secrets: Secrets | undefined,
    log: Logger,
  ): Promise<AlertSender> {
    const { url, headers, allowPrivate, secret, secretName, bearerToken, bearerSecret } = config;
    const fields = { url, headers, allowPrivate, secret, secretName, bearerToken, bearerSecret };
    const own = { name: 'alerts', filter: '#', format: 'cloudevents', concurrency: 1, timeoutMs };
    // An endpoint like that of a route, with one request at a time.
    const route = routeSchema.parse({ ...fields, ...own });
    return new AlertSender(config, createSink(route, await openSigner(route, secrets)), log);
  }

  private constructor(config: AlertsConfig, sink: Sink, log: Logger) {
    this.#config = config;
    this.#sink = sink;
    this.#log = log;
  }

  /** Queues it; of more than {@link maxQueuedAlerts} the oldest is given up, and logged. */
  send(alert: Alert): void {
    if (this.#stop.signal.aborted) return;
    this.#queue.push(alert);
    if (this.#queue.length > maxQueuedAlerts) this.#giveUp('too many wait');
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sending = this.#sendAll().finally(() => {
      this.#isSending = false;
    });
  }

  /** Sends what is queued until `signal` aborts, and ends. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#sending, untilAborted(signal)]);
    this.#stop.abort();
    this.#sink.close();
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; this.#queue.length > 0 && !signal.aborted; ) {
      const [alert] = this.#queue;
      if (alert === undefined) return;
      const { verdict } = await this.#sink.post(this.#request(alert), () => new Set());
      if (signal.aborted) return;
      // Of several that were queued meanwhile, this one may have been given up.
      const isFirst = this.#queue[0] === alert;
      if (verdict.kind !== 'hold') {
        failures = 0;
        if (verdict.kind === 'answered') this.#told(alert, isFirst);
        else if (isFirst) this.#giveUp(verdict.reason);
        continue;
      }
      if (failures === 0) this.#log.warn({ reason: verdict.reason }, 'alerts cannot be sent');
      const waitMs = fullJitterMs(failures++, retryBaseMs, retryCapMs);
      await pause(Math.max(waitMs, verdict.retryAfterMs ?? 0), signal);
    }
  }

  #told({ alert, subject }: Alert, isFirst: boolean): void {
    if (isFirst) this.#queue.shift();
    this.#log.info({ alert, subject }, 'alert sent');
  }

  #giveUp(reason: string): void {
    const given = this.#queue.shift();
    if (given === undefined) return;
    const { alert, subject } = given;
    this.#log.error({ alert, subject, reason }, 'an alert is given up');
  }

  #request({ id, body }: Alert): HandlerRequest {
    const { url } = this.#config;
    return {
      method: 'POST',
      url: new URL(url),
      headers: {
        'user-agent': userAgent,
        ...plainHeaders(this.#config),
        'content-type': 'application/cloudevents+json',
      },
      body,
      id,
    };
  }
}
