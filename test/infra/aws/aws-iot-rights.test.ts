// The rights of the bridge's task at AWS IoT Core: none without `broker.auth`, and with it what its routes and commands
// take.
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { awsIotRights } from '../../../infra/aws/aws-iot-rights.ts';
import { bridgeDocument } from '../../../infra/aws/bridge-document.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config.ts';
import { addStack, createApp } from './synth.ts';

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

  test('are none where the bridge shows something else', () => {
    const { auth: _, ...broker } = input.broker;
    expect(awsIotRights(configOf({ ...input, broker }))).toEqual([]);
  });
});

test('the bridge is told of profile, auth and region, and windows are those of the broker', () => {
  const wiring = { tableName: 'messages', ingestUrl: 'https://ingest.example.com/' };
  const { broker, routes } = bridgeDocument(configOf(input), wiring);
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
    'broker.keepaliveSeconds',
    'routes.0.filter',
    'routes.0.window',
    'broker.credentialsSecret',
  ]);
});

test('the stack gives the task these rights, in the region of the broker, and the api the rules', () => {
  const app = createApp();
  const stack = addStack(app, input);
  // Throws on a finding of the checks.
  app.synth();
  const template = Template.fromStack(stack);
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
}, 120_000);
