// Props that are known at deploy time only: secrets and functions as constructs, tokens, and those that must be known.
import { App, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  Code,
  type IVersion,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { beforeAll, describe, expect, test } from 'vitest';
import { Causeway, type CausewayProps } from '../../../infra/aws/causeway.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { minimal, policiesOf } from './synth.ts';

const foreignSecret =
  'arn:aws:secretsmanager:eu-west-1:210987654321:secret:shared/broker-ca-AbCdEf';
const foreignFunction = 'arn:aws:lambda:eu-west-1:210987654321:function:theirs';

let template: Template;
/** The bridge's document, with what only the deploy knows as its JSON. */
let document: ReturnType<typeof documentOf>;

function documentOf(of: Template) {
  const [task] = Object.values(of.findResources('AWS::ECS::TaskDefinition'));
  const variables: { Name: string; Value: { 'Fn::Join': [string, unknown[]] } }[] =
    task?.['Properties'].ContainerDefinitions[0].Environment;
  const parts = variables.find(({ Name }) => Name === 'CAUSEWAY_CONFIG')?.Value['Fn::Join'][1];
  const text = (parts ?? []).map((part, index) => {
    if (typeof part === 'string') return part;
    // A number stands without quotes.
    const before = parts?.[index - 1];
    const isNumber = typeof before === 'string' && before.endsWith('":');
    return isNumber ? '12345' : JSON.stringify(JSON.stringify(part)).slice(1, -1);
  });
  return JSON.parse(text.join(''));
}

function synth(stack: Stack, props: CausewayProps): Template {
  new Causeway(stack, 'Causeway', props);
  return Template.fromStack(stack);
}

const newStack = () => new Stack(new App({ outdir: temporaryFolder('cdk-out') }), 'Theirs');

beforeAll(() => {
  const stack = newStack();
  const number = (id: string) => new CfnParameter(stack, id, { type: 'Number' }).valueAsNumber;
  const key = new Key(stack, 'Key');
  const made = new Secret(stack, 'Made', { encryptionKey: key }) as ISecret;
  const fromName = Secret.fromSecretNameV2(stack, 'Named', 'named');
  const foreign = Secret.fromSecretCompleteArn(stack, 'Foreign', foreignSecret);
  const orders = new LambdaFunction(stack, 'Orders', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => {}'),
  });
  const live = new Alias(stack, 'Live', {
    aliasName: 'live',
    version: orders.currentVersion as IVersion,
  });
  template = synth(stack, {
    broker: {
      url: `mqtts://${Fn.importValue('BrokerHost')}:8884`,
      credentialsSecret: made,
      caSecret: foreign,
    },
    routes: [
      { name: 'store', filter: 'a/#', retentionDays: number('RouteDays') },
      { name: 'orders', filter: 'b/#', handler: orders },
      { name: 'live', filter: 'c/#', handler: live },
      { name: 'theirs', filter: 'd/#', handler: { functionArn: foreignFunction } },
      {
        name: 'hook',
        filter: 'e/#',
        handler: { url: Fn.importValue('Hook'), headers: { 'x-key': { secret: fromName } } },
      },
    ],
    retentionDays: number('Days'),
    deadLetters: { retentionDays: number('DeadLetterDays') },
    alerts: { url: `https://${Fn.importValue('AlertHost')}/alerts`, secretName: foreignSecret },
    push: { onenet: { tokenSecret: made } },
    api: { requestsPerSecond: number('Rate'), memoryMiB: number('Memory') },
    table: { existingName: Fn.importValue('Table') },
    alarms: { email: Fn.importValue('Email') },
    bridge: { traces: { endpoint: Fn.importValue('Collector'), headersSecret: made } },
  });
  document = documentOf(template);
});

test('the bridge reads secrets by their ARNs, and may', () => {
  expect(document.broker.credentialsSecret).toMatch(/^\{"Ref":"Made/);
  expect(document.broker.caSecret).toBe(foreignSecret);
  expect(document.alerts.secretName).toBe(foreignSecret);
  expect(document.routes[4].headers['x-key'].secret).toContain(':secret:named');
  const resources = policiesOf(template, 'TaskTaskRole')
    .filter(({ Action }) => JSON.stringify(Action).includes('secretsmanager:GetSecretValue'))
    .map(({ Resource }) => JSON.stringify(Resource))
    .join();
  expect(resources).toContain(foreignSecret);
  expect(resources).toMatch(/\{"Ref":"Made/);
  expect(resources).toContain(':secret:named-??????');
  const [key] = Object.values(template.findResources('AWS::KMS::Key'));
  expect(JSON.stringify(key)).toMatch(/kms:Decrypt.*TaskTaskRole/);
});

test('functions are invoked where they are, and the bridge may', () => {
  const [, orders, live, theirs] = document.routes;
  expect(orders).toMatchObject({ auth: 'aws-iam', url: expect.stringMatching(/invocations$/) });
  expect(orders.url).toMatch(/^https:\/\/lambda\.\{"Fn::Select":\[3,.*AWS::URLSuffix/);
  expect(live.url).toMatch(/\{"Ref":"Live/);
  expect(theirs.url).toBe(
    `https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/${encodeURIComponent(foreignFunction)}/invocations`,
  );
  const [invoke] = policiesOf(template, 'TaskTaskRole').filter(
    ({ Action }) => Action === 'lambda:InvokeFunction',
  );
  expect(JSON.stringify(invoke?.Resource)).toMatch(/"Orders.*"Ref":"Live.*theirs/);
  expect(JSON.stringify(invoke?.Resource)).not.toContain('*');
});

test('tokens stand in texts and for numbers', () => {
  expect(document.broker.url).toBe('mqtts://{"Fn::ImportValue":"BrokerHost"}:8884');
  expect(document.alerts.url).toBe('https://{"Fn::ImportValue":"AlertHost"}/alerts');
  expect(document.routes[4].url).toBe('{"Fn::ImportValue":"Hook"}');
  expect(document.routes[0].url).toMatch(/\?retentionDays=\{"Ref":"RouteDays"\}$/);
  expect(document).toMatchObject({
    traceRetentionDays: 12_345,
    deadLetters: { retentionDays: 12_345 },
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: Match.objectLike({
        RETENTION_DAYS: { Ref: 'Days' },
        MESSAGES_TABLE: { 'Fn::ImportValue': 'Table' },
        ONENET_PUSH_TOKEN: {
          'Fn::Join': [
            '',
            [
              '{{resolve:secretsmanager:',
              { Ref: Match.stringLikeRegexp('^Made') },
              ':SecretString:::}}',
            ],
          ],
        },
      }),
    },
  });
  template.hasResourceProperties('AWS::Lambda::Function', { MemorySize: { Ref: 'Memory' } });
  template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
    DefaultRouteSettings: { ThrottlingRateLimit: { Ref: 'Rate' } },
  });
  template.hasResourceProperties('AWS::SNS::Subscription', {
    Endpoint: { 'Fn::ImportValue': 'Email' },
  });
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    SecurityGroupEgress: Match.arrayWith([Match.objectLike({ ToPort: 8884 })]),
  });
  expect(JSON.stringify(template.toJSON())).not.toMatch(/cdk-token|e\+\d{3}|Token\[/);
});

describe('what must be known at synth', () => {
  const text = Fn.importValue('Text');
  test.each([
    ['broker.url', { broker: { url: text } }],
    ['broker.clientIdPrefix', { broker: { ...minimal.broker, clientIdPrefix: text } }],
    ['broker.credentialsSecret', { broker: { ...minimal.broker, credentialsSecret: text } }],
    ['routes.0.filter', { routes: [{ name: 'store', filter: text }] }],
    ['routes.0.timeoutMs', { routes: [{ name: 'store', filter: '#', timeoutMs: true }] }],
    ['writeShards', { writeShards: true }],
    ['bridge.memoryMiB', { bridge: { memoryMiB: true } }],
    ['api.callerCommandsPerSecond', { api: { callerCommandsPerSecond: true } }],
  ])('%s', (field, change) => {
    const stack = newStack();
    const number = new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
    const given = JSON.parse(JSON.stringify(change), (_, value) =>
      value === true ? number : value,
    );
    expect(() => new Causeway(stack, 'Causeway', { ...minimal, ...given })).toThrow(
      new RegExp(`^Causeway: ${field.replaceAll('.', '\\.')}: must be known at synth[^;]*$`),
    );
  });
});
