// Prometheus's own tool takes the files, and each alert rings on what it is about, and on nothing else.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../../bridge/metrics/metrics.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { brokerMetrics } from '../../../infra/broker/telemetry/metrics.ts';
import { alertRules } from '../../../infra/prometheus/alert-rules.ts';
import { dashboardFile } from '../../../infra/prometheus/dashboard.ts';
import { temporaryFolder } from '../../support/brokers.ts';

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;
const needs = hasPromtool ? '' : ' (needs promtool: apt-get install prometheus)';
const rulesFile = resolve('infra/prometheus/causeway-alerts.yaml');

function promtool(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const passes = expect.objectContaining({ status: 0 });

/** The file of these rules or tests; JSON is YAML. */
function fileOf(name: string, content: object): string {
  const file = join(temporaryFolder('promtool'), name);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

/** What a metric is from minute to minute where something is wrong, and where it is well, for 40 minutes. */
const series: Readonly<Record<string, readonly [name: string, wrong: string, well: string]>> = {
  CausewayNoSession: ['causeway_active_sessions{route="store"}', '0x40', '1x40'],
  CausewaySessionFails: ['causeway_failing_sessions{route="store"}', '1x40', '0x40'],
  CausewayHolding: ['causeway_holding_seconds{route="store"}', '0+60x40', '0x40'],
  CausewayRouteDisabled: ['causeway_route_disabled{route="store"}', '1x40', '0x40'],
  CausewayRoutePaused: ['causeway_route_paused{route="store"}', '1x1500', '1x40'],
  CausewayDeadLetters: ['causeway_quarantined_messages_total{route="store"}', '0+1x40', '7x40'],
  CausewaySessionLost: ['causeway_lost_sessions_total{route="store"}', '0x35 1x5', '1x40'],
  CausewayCertificateExpires: [
    'causeway_certificate_expiry_timestamp_seconds{certificate="broker"}',
    '86400x40',
    '9999999999x40',
  ],
  CausewayNoisyTopic: ['causeway_noisy_topic{route="store"}', '1x40', '0x40'],
  CausewayDroppedQoS0: ['causeway_dropped_qos0_messages_total{route="store"}', '0+1x40', '3x40'],
  CausewayCommandsFail: ['causeway_commands_total{result="expired"}', '0+1x40', '3x40'],
  CausewayIndexLate: ['causeway_index_delay_seconds', '0+60x40', '70x40'],
  CausewayClockWrong: ['causeway_clock_error_seconds', '-90x40', '-20x40'],
  CausewayBrokerHolds: ['causeway_broker_held_messages', '1x40', '0x40'],
  CausewayBrokerQueueFull: ['causeway_broker_dropped_queue_full_total', '0+1x40', '3x40'],
  CausewayBrokerFileUnusable: ['causeway_broker_files_unusable_total', '0x35 1x5', '1x40'],
};

const minuteNow = (name: string) => (name === 'CausewayRoutePaused' ? 1460 : 39);

/** A unit test of promtool: with one thing wrong, that alert rings; with `undefined`, none does. */
function ringing(wrong: string | undefined) {
  const minute = minuteNow(wrong ?? '');
  const at = `${minute}m`;
  const input = Object.entries(series).map(([name, [metric, bad, good]]) => ({
    series: metric,
    values: name === wrong ? bad : good.replace(/x40$/, `x${minute + 1}`),
  }));
  const count = `count by (alertname) (ALERTS{alertstate="firing"})`;
  return {
    interval: '1m',
    input_series: input,
    promql_expr_test: [
      {
        expr: count,
        eval_time: at,
        exp_samples: wrong === undefined ? [] : [{ labels: `{alertname="${wrong}"}`, value: 1 }],
      },
    ],
  };
}

describe.skipIf(!hasPromtool)(`promtool${needs}`, () => {
  test('takes the rules', () => {
    expect(promtool('check', 'rules', rulesFile)).toEqual(passes);
  });

  test('takes every expression of the dashboard', () => {
    const expressions = [...dashboardFile().matchAll(/"expr": (".*"),?$/gm)].map(([, text = '']) =>
      String(JSON.parse(text)).replaceAll('$__rate_interval', '5m').replaceAll('$route', '.*'),
    );
    expect(expressions.length).toBeGreaterThan(40);
    const rules = expressions.map((expr, index) => ({ record: `graph:${index}`, expr }));
    expect(
      promtool('check', 'rules', fileOf('graphs.json', { groups: [{ name: 'graphs', rules }] })),
    ).toEqual(passes);
  });

  test('takes what is scraped, without a remark', async () => {
    const metrics = createMetrics();
    metrics.commands(() => ({ waiting: 0, inFlight: 0 }));
    metrics.certificates(() => ({ broker: 1 }));
    const none = {
      ...{ connections: 0, sessions: 0, retainedMessages: 0 },
      ...{ queuedMessages: 0, heldMessages: 0 },
    };
    const broker = brokerMetrics(createCounters(), () => none);
    const input = (await metrics.scrape()).text + (await broker.scrape()).text;
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
  });

  test('each alert rings on what it is about, and on nothing else', () => {
    const named = alertRules.map(({ name }) => name);
    expect(['CausewayAway', ...Object.keys(series)].toSorted()).toEqual(named.toSorted());
    const away = {
      interval: '1m',
      input_series: [{ series: 'causeway_noisy_topic{route="store"}', values: '0x40' }],
      alert_rule_test: [
        { eval_time: '3m', alertname: 'CausewayAway', exp_alerts: [] },
        { eval_time: '9m', alertname: 'CausewayNoSession', exp_alerts: [] },
      ],
      promql_expr_test: [
        {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: '9m',
          exp_samples: [{ labels: '{alertname="CausewayAway"}', value: 1 }],
        },
      ],
    };
    const tests = [undefined, ...Object.keys(series)].map(ringing);
    const file = fileOf('tests.json', { rule_files: [rulesFile], tests: [...tests, away] });
    expect(promtool('test', 'rules', file)).toEqual(passes);
  });
});
