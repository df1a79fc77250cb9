// What the bridge's task may do beyond its own table and ingest: read the secrets that the config names, sign in at AWS IoT
// Core, and call functions that are handlers.
import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import type { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { isInvocation } from '../../bridge/config/lambda-invocation.ts';
import { bridgeSecretNames } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { awsIotRegionOf, awsIotRights } from './aws-iot-rights.ts';
import type { StandIns } from './stand-ins.ts';

export function allowTask(
  task: FargateTaskDefinition,
  config: CausewayConfig,
  standIns: StandIns,
): void {
  allowSecrets(task, bridgeSecretNames(config), standIns);
  allowBroker(task, config);
  allowHandlers(task, config, standIns);
}

function allowSecrets(
  task: FargateTaskDefinition,
  names: readonly string[],
  { secretOf }: StandIns,
): void {
  const resources: string[] = [];
  for (const name of names) {
    const secret = secretOf(name);
    // With the right to its key.
    if (secret !== undefined) secret.grantRead(task.taskRole);
    else resources.push(arnOfSecret(task, name));
  }
  if (resources.length > 0)
    task.addToTaskRolePolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources }),
    );
}

/** Secrets Manager appends a dash and six characters to the name; an ARN is given with them. */
function arnOfSecret(task: FargateTaskDefinition, name: string): string {
  if (name.startsWith('arn:')) return name;
  return Stack.of(task).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${name}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Only where the bridge signs in with its role; with certificates or passwords the broker has rights of its own. */
function allowBroker(task: FargateTaskDefinition, config: CausewayConfig): void {
  const region = awsIotRegionOf(config);
  const stack = Stack.of(task);
  // As the checks write what is not known before the deploy.
  const account = Token.isUnresolved(stack.account) ? '<AWS::AccountId>' : stack.account;
  const partition = Token.isUnresolved(stack.partition) ? '<AWS::Partition>' : stack.partition;
  for (const { actions, resources } of awsIotRights(config)) {
    const arns = resources.map((resource) =>
      stack.formatArn({
        service: 'iot',
        resource,
        arnFormat: ArnFormat.NO_RESOURCE_NAME,
        ...(region !== undefined && { region }),
      }),
    );
    task.addToTaskRolePolicy(new PolicyStatement({ actions: [...actions], resources: arns }));
    for (const resource of resources.filter((text) => text.includes('*')))
      Validations.of(task).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:${partition}:iot:${region}:${account}:${resource}]`,
        reason:
          'Client ids have a prefix, and topics are named by filters: those of the routes, and api.commandFilters.',
      });
  }
}

/** Functions that routes invoke, or call by their URLs, with both rights that takes. One of another account allows it, too. */
function allowHandlers(
  task: FargateTaskDefinition,
  { routes }: CausewayConfig,
  { restore }: StandIns,
): void {
  const handlers = routes.flatMap(({ handler }) => handler ?? []);
  const arnsOf = (isWanted: (url: URL) => boolean) => [
    ...new Set(
      handlers.flatMap(({ url, functionArn }) =>
        isWanted(new URL(url)) ? (functionArn ?? []) : [],
      ),
    ),
  ];
  const allow = (action: string, resources: string[], conditions = {}) => {
    if (resources.length > 0)
      task.addToTaskRolePolicy(
        new PolicyStatement({ actions: [action], resources: restore(resources), conditions }),
      );
  };
  allow('lambda:InvokeFunction', arnsOf(isInvocation));
  const byUrl = arnsOf((url) => !isInvocation(url));
  const iam = { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } };
  allow('lambda:InvokeFunctionUrl', byUrl, iam);
  allow('lambda:InvokeFunction', byUrl, { Bool: { 'lambda:InvokedViaFunctionUrl': true } });
}
