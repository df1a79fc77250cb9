// A second deploy, with other routes and settings: nothing that holds data or is known outside is replaced or removed.
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, expect, test } from 'vitest';
import { addStack, createApp, minimal } from './synth.ts';

/**
 * What a replacement would lose, with the properties whose change replaces it (CloudFormation Template Reference, "Update
 * requires: Replacement"). Of a subnet or a network, tasks and functions would have to move.
 */
const kept: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::GlobalTable': ['TableName', 'KeySchema', 'LocalSecondaryIndexes'],
  'AWS::ApiGatewayV2::Api': ['ProtocolType'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::EC2::VPC': ['CidrBlock'],
  'AWS::EC2::Subnet': ['VpcId', 'CidrBlock', 'AvailabilityZone'],
  'AWS::ECS::Cluster': ['ClusterName'],
  'AWS::ECS::Service': ['Cluster', 'LaunchType', 'ServiceName', 'Role'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::SNS::Topic': ['TopicName'],
};

let before: Template;
let after: Template;

function synth(change: object): Template {
  return Template.fromStack(addStack(createApp(), { ...minimal, ...change }));
}

beforeAll(() => {
  const alarms = { email: 'somebody@example.com' };
  before = synth({ alarms });
  after = synth({
    broker: { url: 'mqtts://other.example.com:8884', credentialsSecret: 'causeway/broker' },
    routes: [
      { name: 'store', filter: 'devices/#', retentionDays: 7 },
      { name: 'hook', filter: 'b/#', handler: { url: 'https://a.example.com', secretName: 'a' } },
    ],
    presence: { source: 'last-will' },
    push: { onenet: { tokenSecret: 'push' } },
    api: { memoryMiB: 1024, requestsPerSecond: 50 },
    ingest: { memoryMiB: 1024 },
    retentionDays: 90,
    writeShards: 4,
    table: { maxReadUnitsPerSecond: 1000, warmReadUnitsPerSecond: 24_000 },
    bridge: { cpu: 1024, memoryMiB: 2048 },
    logRetentionDays: 90,
    alarms: { ...alarms, dashboard: true },
  });
});

test.each(Object.entries(kept))('%s', (type, replacing) => {
  const old = before.findResources(type);
  expect(Object.keys(old).length).toBeGreaterThan(0);
  for (const [id, { Properties: properties = {} }] of Object.entries(old)) {
    const now = after.findResources(type)[id]?.['Properties'];
    expect(now, id).toBeDefined();
    for (const name of replacing) expect(now[name], `${id}.${name}`).toEqual(properties[name]);
  }
});

test('the same config twice is the same template', () => {
  expect(synth({ alarms: { email: 'somebody@example.com' } }).toJSON()).toEqual(before.toJSON());
});
