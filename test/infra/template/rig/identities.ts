// What resources are called once they exist: the values of `Ref` and `Fn::GetAtt`, by type.
import type { Resource } from './assembly.ts';

export const region = 'eu-central-1';
export const account = '123456789012';
/** Host of Lambda's API. */
export const lambdaHost = `lambda.${region}.amazonaws.com`;

export function arn(service: string, resource: string, where = `${region}:${account}`): string {
  return `arn:aws:${service}:${where}:${resource}`;
}

export const pseudoParameters: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::URLSuffix': 'amazonaws.com',
};

export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** `name` is unique; `url` is where a resource with an address of its own is reached. */
type Identify = (name: string, url: string, resource: Resource) => Identity;

const named =
  (attributes: (name: string) => Record<string, string> = () => ({})): Identify =>
  (name) => ({ ref: name, attributes: attributes(name) });

const types: Readonly<Record<string, Identify>> = {
  'AWS::ApiGatewayV2::Api': (name, url) => ({ ref: name, attributes: { ApiEndpoint: url } }),
  'AWS::ApiGatewayV2::Integration': named(),
  'AWS::ApiGatewayV2::Route': named(),
  'AWS::ApiGatewayV2::Stage': named(),
  'AWS::CloudWatch::Alarm': named((name) => ({ Arn: arn('cloudwatch', `alarm:${name}`) })),
  'AWS::CloudWatch::Dashboard': named(),
  'AWS::DynamoDB::GlobalTable': named((name) => ({ Arn: arn('dynamodb', `table/${name}`) })),
  'AWS::EC2::FlowLog': named(),
  'AWS::EC2::InternetGateway': named(),
  'AWS::EC2::Route': named(),
  'AWS::EC2::RouteTable': named(),
  'AWS::EC2::SecurityGroup': named((name) => ({ GroupId: name })),
  'AWS::EC2::SecurityGroupEgress': named(),
  'AWS::EC2::SecurityGroupIngress': named(),
  'AWS::EC2::Subnet': named(),
  'AWS::EC2::SubnetRouteTableAssociation': named(),
  'AWS::EC2::VPC': named(),
  'AWS::EC2::VPCEndpoint': named(),
  'AWS::EC2::VPCGatewayAttachment': named(),
  'AWS::ECS::Cluster': named(),
  'AWS::ECS::Service': named((name) => ({ Name: name })),
  'AWS::ECS::TaskDefinition': named(),
  'AWS::IAM::Policy': named(),
  'AWS::IAM::Role': named((name) => ({ Arn: arn('iam', `role/${name}`, `:${account}`) })),
  'AWS::Lambda::Function': named((name) => ({ Arn: arn('lambda', `function:${name}`) })),
  'AWS::Lambda::Permission': named(),
  'AWS::Logs::LogGroup': named((name) => ({ Arn: arn('logs', `log-group:${name}:*`) })),
  'AWS::Logs::MetricFilter': named(),
  'AWS::SecretsManager::Secret': (name) => ({ ref: secretArn(name), attributes: {} }),
};

/** Secrets Manager appends a dash and six characters to the name. */
export function secretArn(name: string): string {
  return arn('secretsmanager', `secret:${name}-Ab1Cd2`);
}

/** The ARN of a secret that is named by its ARN or its name. */
export function arnOfSecret(id: string): string {
  return id.startsWith('arn:') ? id : secretArn(id);
}

/** Types whose resources have an address: one is listened on for each of them. */
export const hasUrl: ReadonlySet<string> = new Set(['AWS::ApiGatewayV2::Api']);

export function identityOf(name: string, url: string, resource: Resource): Identity {
  const identify = types[resource.Type];
  if (identify === undefined) throw new Error(`unknown resource type ${resource.Type}`);
  return identify(name, url, resource);
}
