// The stack as a whole: checks, table, outputs, names; one synth for all.
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { Causeway } from '../../../infra/aws/causeway.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { addStack, createApp, minimal, statementsOf, synthDeployments } from './synth.ts';

let small: Template;
let large: Template;
let tagsOfLarge: Record<string, string>;

beforeAll(() => {
  ({ small, large, tagsOfLarge } = synthDeployments());
});

test('a finding of the checks fails the synth', () => {
  const app = createApp();
  new Bucket(new Stack(app, 'Open'), 'Bucket');
  expect(() => app.synth()).toThrow(/AwsSolutions-S1/);
});

describe('the table', () => {
  test('is kept and protected, and can be set back', () => {
    small.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          }),
        ],
      },
    });
  });

  test('goes with its stack where the config says so, and takes no more than it says', () => {
    large.hasResource('AWS::DynamoDB::GlobalTable', {
      DeletionPolicy: 'Delete',
      Properties: {
        Replicas: [
          Match.objectLike({
            DeletionProtectionEnabled: false,
            ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 5000 },
          }),
        ],
        WriteOnDemandThroughputSettings: { MaxWriteRequestUnits: 2000 },
        WarmThroughput: { ReadUnitsPerSecond: 24_000 },
      },
    });
  });

  test('is one that is there already, where the config names it', () => {
    const stack = addStack(new App({ outdir: temporaryFolder('cdk-out') }), {
      ...minimal,
      table: { existingName: 'left-by-another' },
    });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::DynamoDB::GlobalTable', 0);
    const variables = { MESSAGES_TABLE: 'left-by-another' };
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike(variables) },
    });
    const writing = statementsOf(template).filter(({ Action }) =>
      [Action].flat().includes('dynamodb:BatchWriteItem'),
    );
    expect(writing).toHaveLength(3);
    for (const { Resource } of writing)
      expect(JSON.stringify(Resource)).toContain(':table/left-by-another');
  });
});

test('every log has an end', () => {
  small.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
});

test('alarms that ring for what is missing come after what they watch', () => {
  const [service = ''] = Object.keys(small.findResources('AWS::ECS::Service'));
  small.allResources('AWS::CloudWatch::Alarm', { DependsOn: Match.arrayWith([service]) });
});

test('nobody gets a shell in a task', () => {
  small.allResourcesProperties('AWS::ECS::Service', { EnableExecuteCommand: Match.absent() });
});

test('the outputs say where the API is, how to get a token, and where the dashboard is if there is one', () => {
  const outputs = ['ApiUrl', 'TokenCommand'];
  expect(Object.keys(small.findOutputs('*'))).toEqual(outputs);
  expect(Object.keys(large.findOutputs('*'))).toEqual([...outputs, 'DashboardUrl']);
  small.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
});

test('tags are on the whole stack', () => {
  expect(tagsOfLarge).toEqual({ team: 'devices' });
});

test('two deployments in one account share no name', () => {
  const namesOf = (template: Template) =>
    [
      ...Object.values(template.findResources('AWS::Logs::MetricFilter')).map(
        (resource) => resource['Properties'].MetricTransformations[0].MetricNamespace as string,
      ),
    ].filter((name, index, all) => all.indexOf(name) === index);
  expect(namesOf(small)).toHaveLength(1);
  expect(namesOf(large).filter((name) => namesOf(small).includes(name))).toEqual([]);
  for (const template of [small, large]) {
    const text = JSON.stringify(template.toJSON());
    expect(text).not.toMatch(
      /"(TableName|FunctionName|RoleName|LogGroupName|ClusterName|ServiceName|AlarmName|DashboardName)":"/,
    );
  }
});

test('a VPC given by its id is looked up', () => {
  const app = new App({ outdir: temporaryFolder('cdk-out') });
  const vpcId = 'vpc-0123456789abcdef0';
  const env = { account: '123456789012', region: 'eu-central-1' };
  const stack = addStack(app, { ...minimal, bridge: { vpcId } }, env);
  expect(app.synth().manifest.missing).toMatchObject([
    { provider: 'vpc-provider', props: { filter: { 'vpc-id': vpcId } } },
  ]);
  Template.fromStack(stack).resourceCountIs('AWS::EC2::VPC', 0);
});

describe('in an app of somebody else', () => {
  test("it runs in the app's VPC", () => {
    const stack = new Stack(new App({ outdir: temporaryFolder('cdk-out') }), 'Theirs');
    const vpc = new Vpc(stack, 'Network', { maxAzs: 2, restrictDefaultSecurityGroup: false });
    new Causeway(stack, 'Causeway', { ...minimal, vpc: vpc as IVpc });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::EC2::VPC', 1);
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
  });

  test('every problem of the config is named before anything is made', () => {
    const stack = new Stack(createApp(), 'Wrong');
    const config = { ...minimal, broker: { url: 'mqtt://broker.example.com' }, retentionDays: 0 };
    expect(() => new Causeway(stack, 'Causeway', config)).toThrow(
      /^Causeway: broker\.url: is plain text .*; retentionDays: must be at least 1/,
    );
    expect(stack.node.findAll().some(({ node }) => node.id === 'Messages')).toBe(false);
  });
});
