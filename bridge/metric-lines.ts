// The numbers in the log, once a minute, for whoever has only the log: CloudWatch counts these lines on AWS.
import type { Logger } from 'pino';
import { daysLeft } from './broker/certificate-metrics.ts';
import type { Metrics } from './metrics.ts';
import type { Quarantine } from './quarantine/quarantine.ts';

export interface MetricLinesOptions {
  readonly metrics: Pick<Metrics, 'snapshot'>;
  readonly quarantine: Pick<Quarantine, 'count'>;
  readonly log: Logger;
  /** Time between lines; a minute by default. */
  readonly everyMs?: number;
}

export interface MetricLines {
  /** Logs what has been counted since the last lines. */
  stop(): void;
}

/**
 * Each bridge logs all routes, also as a standby, with 0 sessions: of several bridges the most of a minute says whether
 * a route has a session, and the sum what all of them did.
 */
export function startMetricLines({
  metrics,
  quarantine,
  log,
  everyMs = 60_000,
}: MetricLinesOptions): MetricLines {
  const delivered = new Map<string, number>();
  let sent = 0;
  let failed = 0;

  function logLines(deadLetters: number | undefined): void {
    const { routes, results, certificates } = metrics.snapshot();
    for (const { route, counters, gauges } of routes) {
      const { activeSessions, failingSessions } = gauges;
      const deliveredMessages = counters.delivered - (delivered.get(route) ?? 0);
      const holdingSeconds = Math.round(gauges.holdingSeconds);
      delivered.set(route, counters.delivered);
      log.info(
        { route, deliveredMessages, activeSessions, failingSessions, holdingSeconds },
        'route metrics',
      );
    }
    const sentCommands = results.sent - sent;
    const failedCommands = results.failed + results.expired - failed;
    sent = results.sent;
    failed = results.failed + results.expired;
    const disabledRoutes = routes.filter(({ gauges }) => gauges.disabled).length;
    // Null is no data to a metric filter: there is no TLS.
    const certificateDaysLeft = daysLeft(certificates, Date.now()) ?? null;
    log.info(
      { deadLetters, disabledRoutes, sentCommands, failedCommands, certificateDaysLeft },
      'bridge metrics',
    );
  }

  let stopped = false;
  const timer = setInterval(async () => {
    const deadLetters = await quarantine.count().catch((error: unknown) => {
      log.warn({ reason: String(error) }, 'dead letters could not be counted');
      return undefined;
    });
    if (!stopped) logLines(deadLetters);
  }, everyMs);

  return {
    stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      logLines(undefined);
    },
  };
}
