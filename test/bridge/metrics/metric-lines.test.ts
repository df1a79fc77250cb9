// The lines that CloudWatch counts, in the names that infra/aws looks for.
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startMetricLines } from '../../../bridge/metrics/metric-lines.ts';
import { createMetrics } from '../../../bridge/metrics/metrics.ts';
import { bridgeLine, routeLine } from '../../../infra/aws/bridge-metrics.ts';
import { until } from '../../support/wait.ts';

type Line = Record<string, unknown>;

function linesOf(count: () => Promise<number>) {
  const metrics = createMetrics();
  const { counters, sessionLost } = metrics.route('store', () => ({
    inFlightMessages: 0,
    inFlightRequests: 0,
    concurrencyLimit: 1,
    activeSessions: 2,
    failingSessions: 1,
    holding: true,
    holdingSeconds: 61.4,
    paused: false,
    disabled: true,
    noisyTopic: false,
  }));
  const { results } = metrics.commands(() => ({ waiting: 0, inFlight: 0 }));
  const lines: Line[] = [];
  const log = pino({}, { write: (text: string) => void lines.push(JSON.parse(text)) });
  const metricLines = startMetricLines({
    metrics,
    deadLetters: { count },
    problems: () => ({ severity: 2, reasons: ['route store: holding: 503'] }),
    log,
    everyMs: 10,
  });
  onTestFinished(() => metricLines.stop());
  const withMessage = (msg: string) => lines.filter((line) => line['msg'] === msg);
  return { counters, results, sessionLost, metricLines, withMessage };
}

test('messages and commands are counted since the line before, the rest is as it is now', async () => {
  const { counters, results, sessionLost, withMessage } = linesOf(async () => 3);
  counters.delivered = 5;
  sessionLost();
  Object.assign(results, { sent: 4, failed: 1, expired: 2 });
  await until(() => withMessage(bridgeLine.msg).length >= 1);
  counters.delivered += 7;
  results.expired++;
  const sum = (msg: string, field: string) =>
    withMessage(msg).reduce((total, line) => total + Number(line[field]), 0);
  await until(() => sum(routeLine.msg, 'deliveredMessages') === 12);
  await until(() => sum(bridgeLine.msg, 'failedCommands') === 4);
  expect(sum(bridgeLine.msg, 'sentCommands')).toBe(4);
  expect(sum(bridgeLine.msg, 'lostSessions')).toBe(1);
  const [route] = withMessage(routeLine.msg);
  expect(route).toMatchObject({
    level: 30,
    route: 'store',
    deliveredMessages: 5,
    activeSessions: 2,
    failingSessions: 1,
    holdingSeconds: 61,
  });
  const [bridge] = withMessage(bridgeLine.msg);
  expect(bridge).toMatchObject({
    [bridgeLine.severity]: 2,
    reasons: ['route store: holding: 503'],
    deadLetters: 3,
    disabledRoutes: 1,
    sentCommands: 4,
    failedCommands: 3,
  });
  for (const field of routeLine.fields) expect(route).toHaveProperty(field);
});

test('a store of dead letters that cannot be counted is left out: no number is no news', async () => {
  const { withMessage } = linesOf(() => Promise.reject(new Error('away')));
  await until(() => withMessage(bridgeLine.msg).length >= 1);
  expect(withMessage(bridgeLine.msg)[0]).not.toHaveProperty('deadLetters');
  expect(withMessage('dead letters could not be counted').length).toBeGreaterThan(0);
});

test('the last lines are those of the stop', () => {
  const { counters, metricLines, withMessage } = linesOf(async () => 0);
  counters.delivered = 9;
  metricLines.stop();
  metricLines.stop();
  expect(withMessage(routeLine.msg)).toMatchObject([{ deliveredMessages: 9 }]);
  expect(withMessage(bridgeLine.msg)).toHaveLength(1);
});
