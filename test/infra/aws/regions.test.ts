// Regions without function URLs, and other partitions: the checks pass, and ARNs, hosts and principals are theirs.
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { addStack, createApp } from './synth.ts';

const regions = [
  ['us-east-1', 'aws', 'amazonaws.com'],
  ['eu-south-2', 'aws', 'amazonaws.com'],
  ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
  ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com'],
] as const;

const templates = new Map<string, string>();

beforeAll(() => {
  const app = createApp();
  const stacks = regions.map(([region, partition, suffix]) => {
    const url = `wss://a1b2c3-ats.iot.${region}.${suffix}/mqtt` as const;
    const functionArn = `arn:${partition}:lambda:${region}:123456789012:function:orders`;
    const input = {
      stackName: `Causeway-${region}`,
      broker: { url, profile: 'aws-iot', auth: 'aws-iam', caSecret: 'causeway/ca' },
      routes: [
        { name: 'store', filter: 'devices/#' },
        { name: 'orders', filter: 'orders/#', handler: { functionArn } },
      ],
      alarms: { email: 'somebody@example.com', dashboard: true },
    } as const;
    const env = { account: '123456789012', region };
    return [region, addStack(app, { ...input, routes: [...input.routes] }, env)] as const;
  });
  const messages = app.synth().stacks.flatMap((stack) => stack.messages);
  if (messages.length > 0) throw new Error(JSON.stringify(messages));
  for (const [region, stack] of stacks) {
    const { Parameters: _, ...template } = Template.fromStack(stack).toJSON();
    templates.set(
      region,
      JSON.stringify(template)
        .replaceAll('{"Ref":"AWS::Partition"}', '"<partition>"')
        .replaceAll('{"Ref":"AWS::URLSuffix"}', '"<suffix>"')
        .replaceAll('","', ''),
    );
  }
});

describe.each(regions)('%s', (region, partition, suffix) => {
  const text = () => templates.get(region) ?? '';

  test('no resource is one that the region lacks', () => {
    expect(text()).not.toContain('AWS::Lambda::Url');
  });

  test('functions are invoked at its endpoint', () => {
    expect(text()).toMatch(
      new RegExp(`https://lambda\\.${region}\\.(<suffix>|${suffix.replaceAll('.', '\\.')})/2015`),
    );
    expect(text()).toContain(
      `https://lambda.${region}.${suffix}/2015-03-31/functions/arn%3A${partition}%3Alambda`,
    );
  });

  test('every ARN has its partition', () => {
    const partitions = [...text().matchAll(/arn:([^:"]*):/g)].map(([, found]) => found);
    expect(partitions.length).toBeGreaterThan(5);
    expect([...new Set(partitions)].filter((found) => found !== '<partition>')).toEqual([
      partition,
    ]);
  });

  test('principals are those of every partition', () => {
    const principals = [...text().matchAll(/"Service":"([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(principals)).toEqual(
      new Set([
        'ecs-tasks.amazonaws.com',
        'lambda.amazonaws.com',
        'vpc-flow-logs.amazonaws.com',
        'cloudwatch.amazonaws.com',
      ]),
    );
  });
});

test('the console of each partition has a host of its own', () => {
  expect(templates.get('cn-north-1')).toContain('console.amazonaws.cn');
});
