// Alerts: looks at the conditions once a second, and tells of what begins and what is over.
import type { Logger } from 'pino';
import type { Secrets } from '../base/secrets.ts';
import type { AlertsConfig } from '../config/alerts.ts';
import type { OnCall } from '../forwarding/handler-calls.ts';
import { alertOf } from './alert-event.ts';
import { AlertSender } from './alert-sender.ts';
import { ConditionWatch } from './condition-watch.ts';
import type { Conditions } from './conditions.ts';
import type { OfflineClients } from './offline-clients.ts';

export interface AlertsOptions {
  readonly config: AlertsConfig;
  readonly conditions: Pick<Conditions, 'now'>;
  /** URI of broker and deployment, for the events. */
  readonly source: string;
  readonly secrets: Secrets | undefined;
  readonly clients: OfflineClients;
  readonly log: Logger;
  /** Time between looks; a second by default. */
  readonly everyMs?: number;
}

export interface Alerts {
  /** Looks no more, and sends what is queued until `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
}

export async function startAlerts(options: AlertsOptions): Promise<Alerts> {
  const { config, conditions, source, secrets, clients, log, everyMs = 1000 } = options;
  const sender = await AlertSender.open(config, secrets, log);
  const watch = new ConditionWatch(config.afterSeconds * 1000);
  const timer = setInterval(() => {
    const nowMs = Date.now();
    const now = [...conditions.now(nowMs), ...clients.now()];
    const wanted = now.filter(({ kind }) => config.about.includes(kind));
    for (const change of watch.look(wanted, nowMs)) {
      const alert = alertOf(change, source);
      if (alert !== undefined) sender.send(alert);
    }
  }, everyMs);
  return {
    async drain(signal) {
      clearInterval(timer);
      await sender.drain(signal);
    },
  };
}

/** Notes which clients have changed, as the receipts of our own ingest say, and tells who else looks on. */
export function notingClients(clients: OfflineClients, next: OnCall | undefined): OnCall {
  return (messages, call) => {
    if (call.verdict.kind === 'answered' && call.verdict.clients !== undefined)
      clients.note(call.verdict.clients);
    next?.(messages, call);
  };
}
