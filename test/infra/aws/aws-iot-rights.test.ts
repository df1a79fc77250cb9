// The rights of the bridge's task at AWS IoT Core: none without `broker.auth`, and with it what its routes and commands
// take.
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import { awsIotRights } from '../../../infra/aws/aws-iot-rights.ts';
import { awsBridgeDocument } from '../../../infra/aws/bridge-document.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config/config.ts';
import { addStack, createApp, policiesOf, type Statement, statementsOf } from './synth.ts';

const url = 'wss://a1b2c3-ats.iot.eu-west-1.amazonaws.com/mqtt';

const input = {
  broker: { url, profile: 'aws-iot', auth: 'aws-iam', clientIdPrefix: 'bridge' },
  routes: [
    { name: 'store', filter: 'devices/+/up/#' },
    { name: 'shared', filter: 'bulk/#', connections: 2 },
  ],
  api: { commandFilters: ['devices/+/down', '$aws/things/#'] },
} satisfies CausewayConfigInput;

function configOf(given: CausewayConfigInput) {
  const parsed = parseCausewayConfig(given);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

function faultsOf(given: CausewayConfigInput) {
  const parsed = parseCausewayConfig(given);
  return parsed.ok ? [] : parsed.faults.map(({ field }) => field);
}

describe('awsIotRights', () => {
  test('name the group of a shared subscription', () => {
    const routes = [{ name: 'fleet', filter: 'fleet/#', shareGroup: 'both' }];
    const rights = awsIotRights(configOf({ ...input, routes }));
    expect(rights[1]?.resources).toContain('topicfilter/$share/both/fleet/#');
  });

  test('name its client ids, the topics of its routes, and those of commands', () => {
    expect(awsIotRights(configOf(input))).toEqual([
      { actions: ['iot:Connect'], resources: ['client/bridge-*'] },
      {
        actions: ['iot:Subscribe'],
        resources: [
          'topicfilter/devices/+/up/#',
          'topicfilter/$share/bridge-shared/bulk/#',
          'topicfilter/devices/*/down',
          'topicfilter/$aws/things/*',
          'topicfilter/causeway/replies/*',
        ],
      },
      {
        actions: ['iot:Receive'],
        resources: [
          'topic/devices/*/up/*',
          'topic/bulk/*',
          'topic/devices/*/down',
          'topic/$aws/things/*',
          'topic/causeway/replies/*',
        ],
      },
      {
        actions: ['iot:Publish', 'iot:RetainPublish'],
        resources: ['topic/devices/*/down', 'topic/$aws/things/*', 'topic/causeway/replies/*'],
      },
    ]);
  });

  test('are for client ids of its own, too, and for the status of each', () => {
    const { broker } = input;
    const rights = awsIotRights(
      configOf({
        ...input,
        broker: { ...broker, clientIds: { 'store-0': 'thing-7' }, status: {} },
      }),
    );
    expect(rights[0]?.resources).toEqual(['client/bridge-*', 'client/thing-7']);
    expect(rights[3]?.resources.slice(3)).toEqual([
      'topic/causeway/bridge-*/status',
      'topic/causeway/thing-7/status',
    ]);
  });

  test('are none where the bridge shows something else', () => {
    const { auth: _, ...broker } = input.broker;
    expect(awsIotRights(configOf({ ...input, broker }))).toEqual([]);
  });
});

test('the bridge is told of profile, auth and region, and windows are those of the broker', () => {
  const wiring = { tableName: 'messages', ingestUrl: 'https://ingest.example.com/' };
  const document = awsBridgeDocument(configOf(input), wiring);
  const parsed = parseConfig(JSON.parse(JSON.stringify(document)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  const { broker, routes } = parsed.value;
  expect(broker).toMatchObject({ url, profile: 'aws-iot', auth: 'aws-iam', keepaliveSeconds: 30 });
  expect(routes.map(({ window }) => window)).toEqual([100, 100]);
});

test('what the broker would not keep to is a fault of the config, with its path', () => {
  const broken = {
    ...input,
    broker: { ...input.broker, keepaliveSeconds: 10, credentialsSecret: 'a' },
    routes: [{ name: 'store', filter: '$SYS/#', window: 4000 }],
  };
  expect(faultsOf(broken)).toEqual([
    'broker.credentialsSecret',
    'broker.keepaliveSeconds',
    'routes.0.filter',
    'routes.0.window',
  ]);
});

test('the stack gives the task these rights, in the region of the broker, and the api the rules', () => {
  const app = createApp();
  const stack = addStack(app, { ...input, broker: { ...input.broker, status: {} }, presence: {} });
  // Throws on a finding of the checks.
  const messages = app.synth().stacks.flatMap((one) => one.messages);
  expect(messages).toEqual([]);
  const template = Template.fromStack(stack);
  const ofIot = (statements: readonly Statement[]) =>
    statements.filter(({ Action }) => JSON.stringify(Action).includes('"iot:'));
  expect(ofIot(policiesOf(template, 'TaskTaskRole'))).toHaveLength(4);
  expect(ofIot(statementsOf(template))).toHaveLength(4);
  const text = JSON.stringify(ofIot(statementsOf(template)));
  expect(text).toContain(':topicfilter/$aws/events/presence/');
  expect(text).toContain(':topic/causeway/bridge-*/status');
  expect(text).not.toMatch(/:(client|topic|topicfilter)\/\*"/);
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: Match.objectLike({
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: 'iot:Connect',
          Resource: {
            'Fn::Join': [
              '',
              [
                'arn:',
                { Ref: 'AWS::Partition' },
                ':iot:eu-west-1:',
                { Ref: 'AWS::AccountId' },
                ':client/bridge-*',
              ],
            ],
          },
        }),
      ]),
    }),
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: Match.objectLike({ BROKER_RULES: Match.stringLikeRegexp('"maxQoS":1') }),
    },
  });
});
