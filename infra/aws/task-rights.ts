// What the bridge's task may do beyond its own table and ingest: read the secrets that the config names, sign in at AWS IoT
// Core, and call functions that are handlers.
import { ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import type { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { isInvocation } from '../../bridge/config/lambda-invocation.ts';
import { bridgeSecretNames } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { awsIotRegionOf, awsIotRights } from './aws-iot-rights.ts';

export function allowTask(task: FargateTaskDefinition, config: CausewayConfig): void {
  allowSecrets(task, bridgeSecretNames(config));
  allowBroker(task, config);
  allowHandlers(task, config);
}

function allowSecrets(task: FargateTaskDefinition, names: readonly string[]): void {
  if (names.length === 0) return;
  task.addToTaskRolePolicy(
    new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      // Secrets Manager appends a dash and six characters to the name.
      resources: names.map((name) =>
        Stack.of(task).formatArn({
          service: 'secretsmanager',
          resource: 'secret',
          resourceName: `${name}-??????`,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ),
    }),
  );
}

/** Only where the bridge signs in with its role; with certificates or passwords the broker has rights of its own. */
function allowBroker(task: FargateTaskDefinition, config: CausewayConfig): void {
  const region = awsIotRegionOf(config);
  const stack = Stack.of(task);
  const account = Token.isUnresolved(stack.account) ? '<AWS::AccountId>' : stack.account;
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
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iot:${region}:${account}:${resource}]`,
        reason:
          'Client ids have a prefix, and topics are named by filters: those of the routes, and api.commandFilters.',
      });
  }
}

/** Functions that routes invoke, or call by their URLs, with both rights that takes. One of another account allows it, too. */
function allowHandlers(task: FargateTaskDefinition, { routes }: CausewayConfig): void {
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
      task.addToTaskRolePolicy(new PolicyStatement({ actions: [action], resources, conditions }));
  };
  allow('lambda:InvokeFunction', arnsOf(isInvocation));
  const byUrl = arnsOf((url) => !isInvocation(url));
  const iam = { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } };
  allow('lambda:InvokeFunctionUrl', byUrl, iam);
  allow('lambda:InvokeFunction', byUrl, { Bool: { 'lambda:InvokedViaFunctionUrl': true } });
}
