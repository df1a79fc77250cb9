// The bridge in the template: who reaches it, what it may do, and what its image is built from.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { awsBridgeDocument } from '../../../infra/aws/bridge-document.ts';
import { parseDeployment } from '../../../infra/config/config.ts';
import {
  addStack,
  createApp,
  handlerArn,
  invokedArn,
  minimal,
  policiesOf,
  statementsOf,
  synthDeployments,
} from './synth.ts';

let small: Template;
let large: Template;
let directory: string;

beforeAll(() => {
  ({ small, large, folder: directory } = synthDeployments());
});

describe('the bridge', () => {
  test('has a public address, and nobody but the api function can connect to it', () => {
    small.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
    for (const group of Object.values(small.findResources('AWS::EC2::SecurityGroup')))
      expect(group['Properties'].SecurityGroupIngress).toBeUndefined();
    const ingress = Object.values(small.findResources('AWS::EC2::SecurityGroupIngress'));
    expect(ingress.map((rule) => rule['Properties'].FromPort)).toEqual([9100]);
    small.resourceCountIs('AWS::EC2::NatGateway', 0);
  });

  test('can reach the ports of broker and webhooks, and no others', () => {
    const group = large.findResources('AWS::EC2::SecurityGroup', {
      Properties: { GroupDescription: Match.stringLikeRegexp('^Causeway bridge') },
    });
    const [properties] = Object.values(group).map((resource) => resource['Properties']);
    const ports = properties.SecurityGroupEgress.map((rule: { ToPort: number }) => rule.ToPort);
    expect(new Set(ports)).toEqual(new Set([443, 8883, 8443]));
  });

  test('runs as nobody, on a file system it cannot write to, and may drain', () => {
    small.hasResourceProperties('AWS::ECS::TaskDefinition', {
      Cpu: '256',
      Memory: '512',
      RuntimePlatform: { CpuArchitecture: 'ARM64' },
      ContainerDefinitions: [
        Match.objectLike({
          User: '65532',
          ReadonlyRootFilesystem: true,
          StopTimeout: 120,
          HealthCheck: Match.objectLike({
            Command: Match.arrayWith(['CMD', Match.stringLikeRegexp('/healthz')]),
          }),
        }),
      ],
    });
  });

  test('never has less than its tasks in a deploy, as leases keep two from one session', () => {
    small.hasResourceProperties('AWS::ECS::Service', {
      DesiredCount: 1,
      DeploymentConfiguration: Match.objectLike({
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
      }),
    });
  });

  test('has more tasks while they have much to do, and a deploy leaves as many', () => {
    large.hasResourceProperties('AWS::ECS::Service', { DesiredCount: Match.absent() });
    large.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 2,
      MaxCapacity: 6,
    });
    large.hasResourceProperties('AWS::ApplicationAutoScaling::ScalingPolicy', {
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingScalingPolicyConfiguration: Match.objectLike({
        PredefinedMetricSpecification: {
          PredefinedMetricType: 'ECSServiceAverageCPUUtilization',
        },
        TargetValue: 60,
      }),
    });
    small.resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 0);
  });

  test('can be on Spot behind one address', () => {
    large.hasResourceProperties('AWS::ECS::Service', {
      CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE_SPOT', Weight: 1 }],
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
    large.resourceCountIs('AWS::EC2::NatGateway', 1);
  });

  test('may read the secrets that the config names, and no others', () => {
    const statements = policiesOf(large, 'TaskTaskRole');
    const secrets = statements.filter(({ Action }) => String(Action).startsWith('secretsmanager'));
    expect(secrets).toHaveLength(1);
    expect(JSON.stringify(secrets[0]?.Resource).match(/:secret:[^"]*/g)).toEqual([
      ':secret:causeway/basic-??????',
      ':secret:causeway/bearer-??????',
      ':secret:causeway/broker-??????',
      ':secret:causeway/ca-??????',
      ':secret:causeway/certificate-??????',
      ':secret:causeway/client-??????',
      ':secret:causeway/hooks-??????',
      ':secret:causeway/key-??????',
    ]);
    expect(JSON.stringify(policiesOf(small, 'TaskTaskRole'))).not.toContain('secretsmanager');
  });

  test('and nobody else may read any', () => {
    const reading = statementsOf(large).filter(({ Action }) =>
      JSON.stringify(Action).includes('secretsmanager'),
    );
    const named = reading.filter(({ Resource }) => JSON.stringify(Resource).includes(':secret:'));
    expect(named).toHaveLength(1);
    expect(reading).toEqual(named);
    small.resourceCountIs('AWS::SecretsManager::Secret', 0);
    small.resourceCountIs('AWS::ServiceDiscovery::Service', 0);
  });

  test('may invoke the ingest function, and no other', () => {
    const actions = policiesOf(small, 'TaskTaskRole').filter(({ Action }) =>
      String(Action).startsWith('lambda'),
    );
    const [[ingest = '']] = [
      Object.keys(
        small.findResources('AWS::Lambda::Function', {
          Properties: { Description: 'Stores messages' },
        }),
      ),
    ];
    expect(actions).toEqual([
      {
        Action: 'lambda:InvokeFunction',
        Effect: 'Allow',
        Resource: { 'Fn::GetAtt': [ingest, 'Arn'] },
      },
    ]);
  });

  test('may invoke the functions that are handlers of routes', () => {
    const allowed = policiesOf(large, 'TaskTaskRole').filter(({ Resource }) =>
      [Resource].flat().includes(invokedArn),
    );
    expect(allowed).toMatchObject([{ Action: 'lambda:InvokeFunction', Effect: 'Allow' }]);
    expect(allowed[0]).not.toHaveProperty('Condition');
  });

  test('may call a function that is the handler of a route by its URL, too', () => {
    const allowed = policiesOf(large, 'TaskTaskRole').filter(({ Resource }) =>
      [Resource].flat().includes(handlerArn),
    );
    expect(allowed).toMatchObject([
      {
        Action: 'lambda:InvokeFunctionUrl',
        Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
      },
      {
        Action: 'lambda:InvokeFunction',
        Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': true } },
      },
    ]);
  });
});

test('traces go to the collector of the config, with headers that ECS gives to the container alone', () => {
  const template = Template.fromStack(
    addStack(createApp(), {
      ...minimal,
      bridge: {
        traces: { endpoint: 'http://collector.example.com:4318', headersSecret: 'causeway/traces' },
      },
    }),
  );
  template.hasResourceProperties('AWS::ECS::TaskDefinition', {
    ContainerDefinitions: [
      Match.objectLike({
        Environment: Match.arrayWith([
          { Name: 'OTEL_EXPORTER_OTLP_ENDPOINT', Value: 'http://collector.example.com:4318' },
          { Name: 'OTEL_TRACES_SAMPLER_ARG', Value: '0.01' },
        ]),
        Secrets: Match.arrayWith([Match.objectLike({ Name: 'OTEL_EXPORTER_OTLP_HEADERS' })]),
      }),
    ],
  });
  const [group] = Object.values(
    template.findResources('AWS::EC2::SecurityGroup', {
      Properties: { GroupDescription: Match.stringLikeRegexp('^Causeway bridge') },
    }),
  );
  const ports = group?.['Properties'].SecurityGroupEgress.map(
    ({ ToPort }: { ToPort: number }) => ToPort,
  );
  expect(ports).toContain(4318);
});

test('the image is built from the bundle, and from nothing else', () => {
  const files = readdirSync(join(directory, imageContext('Causeway')));
  expect(files).toEqual(
    expect.arrayContaining(['Dockerfile', 'main.mjs', 'expression-worker.mjs']),
  );
  expect(files.filter((file) => !/^(Dockerfile|[\w-]+\.mjs(\.map)?)$/.test(file))).toEqual([]);
});

test("CAUSEWAY_CONFIG is the config's document, with the names of what the stack creates", () => {
  const [task] = Object.values(small.findResources('AWS::ECS::TaskDefinition'));
  const variables: { Name: string; Value: { 'Fn::Join': [string, unknown[]] } }[] =
    task?.['Properties'].ContainerDefinitions[0].Environment;
  const value = variables.find(({ Name }) => Name === 'CAUSEWAY_CONFIG')?.Value;
  const parts = value?.['Fn::Join'][1] ?? [];
  const text = parts.map((part) => (typeof part === 'string' ? part : 'created')).join('');
  const deployment = parseDeployment(minimal);
  if (!deployment.ok) throw new Error(JSON.stringify(deployment.faults));
  const created = {
    tableName: 'created',
    ingestUrl: 'https://lambda.created.created/2015-03-31/functions/created/invocations',
  };
  const document = awsBridgeDocument(deployment.value, created);
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(document)));
});

/** Folder of the image's build context, in that of the synth. */
function imageContext(stackName: string): string {
  const manifest = JSON.parse(readFileSync(join(directory, `${stackName}.assets.json`), 'utf8'));
  const [image] = Object.values<{ source: { directory: string } }>(manifest.dockerImages);
  if (image === undefined) throw new Error('the stack has no image');
  return image.source.directory;
}
