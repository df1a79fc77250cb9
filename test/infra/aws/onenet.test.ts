// OneNET in the template: what may be pushed from outside, and how the bridge gets in.
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, expect, test } from 'vitest';
import { parseCausewayConfig } from '../../../infra/config/config.ts';
import { addStack, createApp, minimal, statementsOf } from './synth.ts';

const onenet = { platform: 'token', productId: 'Ck2AF9QD2K', keySecret: 'onenet/key' } as const;
const broker = {
  url: 'mqtts://mqttstls.heclouds.com:8883',
  profile: 'onenet',
  onenet,
  clientIds: { 'store-0': 'gateway-1', commands: 'gateway-2' },
} as const;
const routes = [{ name: 'store', filter: '$sys/Ck2AF9QD2K/gateway-1/cmd/request/+' }];

let plain: Template;
let pushed: Template;

beforeAll(() => {
  const app = createApp();
  const plainStack = addStack(app, minimal);
  const pushedStack = addStack(app, {
    stackName: 'Pushed',
    broker,
    routes,
    push: { onenet: { tokenSecret: 'onenet/push', productId: '123123' } },
  });
  const messages = app.synth().stacks.flatMap((stack) => stack.messages);
  if (messages.length > 0) throw new Error(JSON.stringify(messages));
  plain = Template.fromStack(plainStack);
  pushed = Template.fromStack(pushedStack);
});

const routeKeys = (template: Template) =>
  Object.values(template.findResources('AWS::ApiGatewayV2::Route'))
    .map((route) => route['Properties'].RouteKey)
    .sort();

test('the push has two routes of its own, where the config names its secret', () => {
  const usual = routeKeys(plain);
  expect(usual).toContain('ANY /{proxy+}');
  const added = routeKeys(pushed).filter((key) => !usual.includes(key));
  expect(added).toEqual(['GET /push/onenet', 'POST /push/onenet']);
});

test('of ingest, the public interface may call that path alone', () => {
  const permissions = Object.values(
    pushed.findResources('AWS::Lambda::Permission', {
      Properties: { Principal: 'apigateway.amazonaws.com' },
    }),
  ).map(({ Properties }) => Properties);
  const ofIngest = permissions.filter((one) => JSON.stringify(one.FunctionName).includes('Ingest'));
  expect(ofIngest).toHaveLength(2);
  for (const { SourceArn } of ofIngest)
    expect(JSON.stringify(SourceArn)).toMatch(/\/\*\/\*\/push\/onenet"/);
});

test('the token comes by reference, and is there only where it is needed', () => {
  const description = { Description: 'Stores messages' };
  pushed.hasResourceProperties('AWS::Lambda::Function', {
    ...description,
    Environment: {
      Variables: Match.objectLike({
        ONENET_PUSH_TOKEN: '{{resolve:secretsmanager:onenet/push:SecretString:::}}',
        ONENET_PUSH_PRODUCT: '123123',
        ONENET_PUSH_AES_KEY: Match.absent(),
      }),
    },
  });
  plain.hasResourceProperties('AWS::Lambda::Function', {
    ...description,
    Environment: { Variables: Match.objectLike({ ONENET_PUSH_TOKEN: Match.absent() }) },
  });
});

test('no role may read it: who deploys does', () => {
  expect(JSON.stringify(statementsOf(pushed))).not.toContain('onenet/push');
});

test('the bridge gets the name of its key, and may read it', () => {
  const text = JSON.stringify(pushed.toJSON());
  expect(text).toContain('\\"keySecret\\":\\"onenet/key\\"');
  expect(text).toContain('\\"clientIds\\":{\\"store-0\\":\\"gateway-1\\"');
  expect(text).toContain(':secret:onenet/key-??????');
});

test.each([
  [
    'a key in the config',
    { onenet: { platform: 'token', productId: 'p', key: 'AAAAAAAA' } },
    'key',
  ],
  ['an API key', { onenet: { platform: 'device', productId: 'p', apiKey: 'k' } }, 'apiKey'],
] as const)('refuses %s: the config holds no secrets', (_, change, field) => {
  const parsed = parseCausewayConfig({ broker: { ...broker, ...change }, routes });
  expect(parsed.ok ? [] : parsed.faults).toContainEqual({
    field: `broker.onenet.${field}`,
    rule: 'is not a known field',
  });
});
