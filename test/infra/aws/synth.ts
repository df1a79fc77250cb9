// A synth as `cdk` does it: with the flags of cdk.json and all checks, into a folder of its own; and what is in it.
import { readFileSync } from 'node:fs';
import { App, type Environment, type Stack, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CausewayStack } from '../../../infra/aws/stack.ts';
import { type DeploymentInput, parseDeployment } from '../../../infra/config/config.ts';
import { temporaryFolder } from '../../support/brokers.ts';

export const minimal = {
  broker: { url: 'mqtts://broker.example.com:8883' },
  routes: [{ name: 'store', filter: '#' }],
} satisfies DeploymentInput;

const hook = { url: 'https://hooks.example.com:8443/mqtt', secretName: 'causeway/hooks' };

export const handlerArn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';

export const invokedArn = 'arn:aws:lambda:eu-west-1:123456789012:function:alarms:live';

const large = {
  stackName: 'Large',
  tags: { team: 'devices' },
  broker: {
    url: 'mqtts://broker.example.com',
    credentialsSecret: 'causeway/broker',
    clientCertificateSecret: 'causeway/certificate',
    status: {},
  },
  routes: [
    { name: 'store', filter: 'devices/#', retentionDays: 7, timeoutMs: 20_000 },
    { name: 'hook', filter: 'alarms/#', handler: hook },
    ...(['cloudevents', 'cloudevents-binary', 'raw'] as const).map((format, index) => ({
      name: format,
      filter: `formats/${format}/+`,
      handler: {
        url: 'https://hooks.example.com:8443/{3}',
        format,
        ...[
          { basicSecret: 'causeway/basic', headers: { 'x-api-key': { secret: 'causeway/key' } } },
          { secretName: 'causeway/hooks' },
          {
            bearerSecret: 'causeway/bearer',
            caSecret: 'causeway/ca',
            clientCertificateSecret: 'causeway/client',
          },
        ][index],
      },
    })),
    {
      name: 'function',
      filter: 'orders/#',
      handler: {
        url: 'https://abcdef.lambda-url.eu-west-1.on.aws/',
        auth: 'aws-iam',
        functionArn: handlerArn,
      },
    },
    { name: 'invoked', filter: 'invoked/#', handler: { functionArn: invokedArn } },
  ],
  presence: { source: 'last-will' },
  push: { onenet: { tokenSecret: 'causeway/push', aesKeySecret: 'causeway/push-key' } },
  api: {
    oidc: {
      issuer: 'https://id.example.com',
      audience: 'causeway',
      clientId: 'causeway-console',
      scopes: ['profile'],
    },
    corsOrigins: ['https://app.example.com'],
    reservedConcurrency: 20,
  },
  ingest: { reservedConcurrency: 10 },
  table: {
    maxReadUnitsPerSecond: 5000,
    maxWriteUnitsPerSecond: 2000,
    warmReadUnitsPerSecond: 24_000,
  },
  bridge: {
    natGateway: true,
    tasks: 2,
    scaling: { maxTasks: 6 },
    spot: true,
    memoryMiB: 1024,
  },
  alarms: { email: 'somebody@example.com', dashboard: true },
  deletionProtection: false,
} satisfies DeploymentInput;

/** An app with the checks of `cdk`; `app.synth()` throws on a finding. */
export function createApp(): App {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  const app = new App({ context, outdir: temporaryFolder('cdk-out') });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

/** Adds a deployment's stack to an app; `env` is where to look a VPC up. */
export function addStack(app: App, input: DeploymentInput, env?: Environment): Stack {
  const parsed = parseDeployment(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return new CausewayStack(app, parsed.value.stackName, {
    deployment: parsed.value,
    ...(env !== undefined && { env }),
  }) as Stack;
}

export interface Deployments {
  /** Folder of the synth. */
  readonly folder: string;
  /** The smallest deployment. */
  readonly small: Template;
  /** One with everything, in the same app. */
  readonly large: Template;
  readonly tagsOfLarge: Record<string, string>;
}

let deployments: Deployments | undefined;

/** Both deployments after all checks, without a warning; made once, and not to be changed. */
export function synthDeployments(): Deployments {
  deployments ??= synthesized();
  return deployments;
}

function synthesized(): Deployments {
  const app = createApp();
  const smallStack = addStack(app, minimal);
  const largeStack = addStack(app, large);
  const assembly = app.synth();
  const messages = assembly.stacks.flatMap((stack) => stack.messages);
  if (messages.length > 0) throw new Error(JSON.stringify(messages));
  return {
    folder: assembly.directory,
    small: Template.fromStack(smallStack),
    large: Template.fromStack(largeStack),
    tagsOfLarge: assembly.getStackByName(large.stackName).tags,
  };
}

export interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** The statements of all policies, inline ones too. */
export function statementsOf(template: Template): Statement[] {
  const documents = [
    ...Object.values(template.findResources('AWS::IAM::Policy')),
    ...Object.values(template.findResources('AWS::IAM::Role')).flatMap(
      (role) =>
        role['Properties'].Policies?.map((policy: object) => ({ Properties: policy })) ?? [],
    ),
  ];
  return documents.flatMap((policy) => policy['Properties'].PolicyDocument.Statement);
}

/** The statements of the policies of roles whose logical id contains `role`. */
export function policiesOf(template: Template, role: string): Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .filter((policy) => JSON.stringify(policy['Properties'].Roles).includes(role))
    .flatMap((policy) => policy['Properties'].PolicyDocument.Statement);
}
