// The alarms in the template.
import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { costReport } from '../../../infra/aws/cost.ts';
import { runbook } from '../../../infra/aws/runbook.ts';
import { parseDeployment } from '../../../infra/config.ts';
import { minimal, synthDeployments } from './synth.ts';

let small: Template;
let large: Template;

beforeAll(() => {
  ({ small, large } = synthDeployments());
}, 120_000);

describe('the alarms', () => {
  const descriptionsOf = (template: Template) =>
    Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      (alarm) => alarm['Properties'].AlarmDescription as string,
    );

  test('each say what it means and what to do, one for each route where it is about routes', () => {
    const names = descriptionsOf(large).map((text) => text.slice(0, text.indexOf(':')));
    expect(new Set(names.map((name) => name.replace(/ .*/, '')))).toEqual(
      new Set(Object.keys(runbook)),
    );
    expect(names).toContain('Holding (route hook)');
    for (const text of descriptionsOf(large)) expect(text.length).toBeLessThanOrEqual(1024);
  });

  test('and their metrics are as many as the estimate counts', () => {
    const parsed = parseDeployment(minimal);
    if (!parsed.ok) throw new Error('the config is right');
    const alarms = descriptionsOf(small).length;
    const filters = Object.keys(small.findResources('AWS::Logs::MetricFilter')).length;
    // One route: each filter makes one metric.
    expect(costReport(parsed.value)).toContain(`${alarms} alarms, ${filters} metrics`);
  });

  test('tell an address, where there is one', () => {
    large.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'somebody@example.com',
    });
    for (const alarm of Object.values(large.findResources('AWS::CloudWatch::Alarm')))
      expect(alarm['Properties'].AlarmActions).toHaveLength(1);
    small.resourceCountIs('AWS::SNS::Topic', 0);
  });

  test('of the bridge watch metrics that its log has', () => {
    const filters = Object.values(small.findResources('AWS::Logs::MetricFilter'));
    const made = filters.flatMap((filter) => filter['Properties'].MetricTransformations);
    const watched = Object.values(small.findResources('AWS::CloudWatch::Alarm'))
      .map((alarm) => alarm['Properties'])
      .filter(({ Namespace }) => String(Namespace).startsWith('Causeway/'));
    expect(watched).toHaveLength(7);
    for (const { Namespace, MetricName } of watched) {
      expect(made).toContainEqual(
        expect.objectContaining({ MetricNamespace: Namespace, MetricName }),
      );
    }
  });
});
