// The alarms in the template.
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { costReport } from '../../../infra/aws/cost.ts';
import { runbook } from '../../../infra/aws/runbook.ts';
import { parseDeployment } from '../../../infra/config/config.ts';
import { minimal, synthDeployments } from './synth.ts';

let small: Template;
let large: Template;

beforeAll(() => {
  ({ small, large } = synthDeployments());
});

describe('the alarms', () => {
  const descriptionsOf = (template: Template) =>
    Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
      (alarm) => alarm['Properties'].AlarmDescription as string,
    );

  test('each say what it means and what to do', () => {
    const names = descriptionsOf(large).map((text) => text.slice(0, text.indexOf(':')));
    expect(names.sort()).toEqual(Object.keys(runbook).sort());
    for (const text of descriptionsOf(large)) expect(text.length).toBeLessThanOrEqual(1024);
  });

  test('and their one metric are as many as the estimate counts, however many routes there are', () => {
    const parsed = parseDeployment(minimal);
    if (!parsed.ok) throw new Error('the config is right');
    const alarms = descriptionsOf(small).length;
    expect(costReport(parsed.value)).toContain(`${alarms} alarms, 1 metric`);
    for (const template of [small, large]) template.resourceCountIs('AWS::Logs::MetricFilter', 1);
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

  test('may publish there: the policy for TLS takes the place of the one that lets CloudWatch', () => {
    large.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'sns:Publish',
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
          }),
        ]),
      }),
    });
  });

  test('of the bridge watch metrics that its log has', () => {
    const filters = Object.values(small.findResources('AWS::Logs::MetricFilter'));
    const made = filters.flatMap((filter) => filter['Properties'].MetricTransformations);
    const watched = Object.values(small.findResources('AWS::CloudWatch::Alarm'))
      .map((alarm) => alarm['Properties'])
      .filter(({ Namespace }) => String(Namespace).startsWith('Causeway/'));
    expect(watched).toHaveLength(2);
    for (const { Namespace, MetricName } of watched) {
      expect(made).toContainEqual(
        expect.objectContaining({ MetricNamespace: Namespace, MetricName }),
      );
    }
  });

  test('ring for a bridge that says nothing, and for one that says how bad it is', () => {
    small.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp('^Outage'),
      Threshold: 2,
      TreatMissingData: 'breaching',
    });
    small.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp('^Attention'),
      Threshold: 1,
      TreatMissingData: 'notBreaching',
    });
  });
});
