// The numbers in the log, once a minute, for those who have only the log: CloudWatch counts these lines on AWS.
import type { Logger } from 'pino';
import type { DeadLetterStore } from '../dead-letters/dead-letter-store.ts';
import { daysLeft } from './certificate-metrics.ts';
import type { Metrics } from './metrics.ts';

export interface MetricLinesOptions {
  readonly metrics: Pick<Metrics, 'snapshot'>;
  readonly deadLetters: Pick<DeadLetterStore, 'count'>;
  /** What is wrong now: 0 nothing, 1 what somebody should look at, 2 what keeps messages or commands from flowing. */
  readonly problems: () => { readonly severity: number; readonly reasons: readonly string[] };
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
  deadLetters,
  problems,
  log,
  everyMs = 60_000,
}: MetricLinesOptions): MetricLines {
  const delivered = new Map<string, number>();
  const filtered = new Map<string, number>();
  let sent = 0;
  let failed = 0;
  let lost = 0;

  function logLines(deadLetters: number | undefined): void {
    const {
      routes,
      results,
      lostSessions: allLost,
      certificates,
      clockErrorMs,
    } = metrics.snapshot();
    for (const { route, counters, gauges } of routes) {
      const { activeSessions, failingSessions } = gauges;
      const deliveredMessages = counters.delivered - (delivered.get(route) ?? 0);
      const holdingSeconds = Math.round(gauges.holdingSeconds);
      delivered.set(route, counters.delivered);
      const filteredMessages = counters.filtered - (filtered.get(route) ?? 0);
      filtered.set(route, counters.filtered);
      log.info(
        {
          route,
          deliveredMessages,
          ...(filteredMessages > 0 && { filteredMessages }),
          activeSessions,
          failingSessions,
          holdingSeconds,
        },
        'route metrics',
      );
    }
    const sentCommands = results.sent - sent;
    const failedCommands = results.failed + results.expired - failed;
    sent = results.sent;
    failed = results.failed + results.expired;
    const lostSessions = allLost - lost;
    lost = allLost;
    const disabledRoutes = routes.filter(({ gauges }) => gauges.disabled).length;
    // Null where there is no TLS.
    const certificateDaysLeft = daysLeft(certificates, Date.now()) ?? null;
    const { severity, reasons } = problems();
    log.info(
      {
        severity,
        ...(reasons.length > 0 && { reasons }),
        deadLetters,
        disabledRoutes,
        sentCommands,
        failedCommands,
        lostSessions,
        certificateDaysLeft,
        clockErrorSeconds: Math.round(clockErrorMs / 1000),
      },
      'bridge metrics',
    );
  }

  let stopped = false;
  const timer = setInterval(async () => {
    const deadLetterCount = await deadLetters.count().catch((error: unknown) => {
      log.warn({ reason: String(error) }, 'dead letters could not be counted');
      return undefined;
    });
    if (!stopped) logLines(deadLetterCount);
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
