// The two Lambda functions: ingest, which the bridge invokes with batches, and api, which serves the public interface.
import { Duration, RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import {
  type IGrantable,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  type FunctionProps,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { limitsOf } from '../../functions/api/access/limits.ts';
import type { ApiVariable } from '../../functions/api/environment.ts';
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';
import type { IngestVariable } from '../../functions/ingest/environment.ts';
import { bundleFolder, type Program, programs } from '../bundle/programs.ts';
import type { CausewayConfig } from '../config/config.ts';
import type { Network } from './network.ts';

/** What both functions can be given. */
interface CommonProps {
  /**
   * MiB; CPU grows with it.
   *
   * @default 512
   */
  readonly memoryMiB?: number | undefined;
  /**
   * Instances at most; they are kept free for this function.
   *
   * @default - as many as the account has left
   */
  readonly reservedConcurrency?: number | undefined;
  /** Days that its log is kept. */
  readonly logRetentionDays: RetentionDays;
}

export interface IngestFunctionProps extends CommonProps {
  /** Time after which a request is ended; shorter than the bridge waits, so that no request outlives its answer. */
  readonly timeout: Duration;
  /** Days that messages are kept whose route says nothing else, as text: it may be known at deploy time only. */
  readonly retentionDays: string;
  /** Partitions of a topic. */
  readonly writeShards: number;
  /** What platforms may push to it. */
  readonly push: CausewayConfig['push'];
}

/** Stores messages. Invoked by those whom {@link grantInvoke} names; eleven regions and China have no function URLs. */
export class IngestFunction extends Construct {
  readonly function: LambdaFunction;
  /** URL that invokes the function; requests are signed (SigV4). */
  readonly invocationUrl: string;

  constructor(scope: Construct, id: string, props: IngestFunctionProps) {
    super(scope, id);
    this.function = nodeFunction(this, programs.ingest, {
      ...props,
      description: 'Stores messages',
    });
    this.setVariable('RETENTION_DAYS', props.retentionDays);
    this.setVariable('WRITE_SHARDS', String(props.writeShards));
    this.allowPush(props.push);
    const { region, urlSuffix } = Stack.of(this);
    const { functionName } = this.function;
    this.invocationUrl = `https://lambda.${region}.${urlSuffix}/2015-03-31/functions/${functionName}/invocations`;
  }

  setVariable(name: IngestVariable, value: string): void {
    this.function.addEnvironment(name, value);
  }

  /**
   * Its secrets come at deploy time, by a dynamic reference, as those of the api do: after a change at the platform,
   * deploy again.
   */
  private allowPush({ onenet }: CausewayConfig['push']): void {
    if (onenet === undefined) return;
    const { tokenSecret, aesKeySecret, productId } = onenet;
    const textOf = (name: string) => SecretValue.secretsManager(name).unsafeUnwrap();
    this.setVariable('ONENET_PUSH_TOKEN', textOf(tokenSecret));
    if (aesKeySecret !== undefined) this.setVariable('ONENET_PUSH_AES_KEY', textOf(aesKeySecret));
    if (productId !== undefined) this.setVariable('ONENET_PUSH_PRODUCT', productId);
  }

  /** Lets somebody invoke it: this function, and none of its versions, which CDK's own grant would allow too. */
  grantInvoke(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [this.function.functionArn],
      }),
    );
  }
}

export interface ApiFunctionProps extends CommonProps {
  readonly network: Network;
  /** Partitions of a topic. */
  readonly writeShards: number;
  /** What callers may do. */
  readonly api: CausewayConfig['api'];
  /** What the broker does not take. */
  readonly brokerRules: BrokerRules;
}

/** Serves the public interface. It is in the bridge's network, because it wakes the bridge for commands. */
export class ApiFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    { api, brokerRules, network, ...props }: ApiFunctionProps,
  ) {
    super(scope, id);
    this.function = nodeFunction(this, programs.api, {
      ...props,
      description: 'Serves the public interface',
      network: {
        vpc: network.vpc,
        vpcSubnets: network.apiSubnets,
        securityGroups: [network.apiSecurityGroup],
      },
      // API Gateway gives up after 30 s.
      timeout: Duration.seconds(29),
    });
    this.setVariable('WRITE_SHARDS', String(props.writeShards));
    this.setVariable('CORS_ORIGINS', JSON.stringify(api.corsOrigins));
    this.setVariable('LIMITS', JSON.stringify(limitsOf(api)));
    this.setVariable('BROKER_RULES', JSON.stringify(brokerRules));
    if (api.replyTopic !== undefined) this.setVariable('REPLY_TOPIC', api.replyTopic);
    if (api.oidc !== undefined) {
      this.setVariable('OIDC_ISSUER', api.oidc.issuer);
      this.setVariable('OIDC_AUDIENCE', api.oidc.audience);
      this.setVariable('OIDC_SCOPE_CLAIM', api.oidc.scopeClaim);
      if (api.oidc.clientId !== undefined) {
        this.setVariable('OIDC_CLIENT_ID', api.oidc.clientId);
        this.setVariable('OIDC_SCOPES', JSON.stringify(api.oidc.scopes));
      }
    }
  }

  setVariable(name: ApiVariable, value: string): void {
    this.function.addEnvironment(name, value);
  }
}

interface NodeFunctionProps extends CommonProps {
  readonly description: string;
  readonly timeout: Duration;
  readonly network?: Pick<FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
}

function nodeFunction(scope: Construct, program: Program, props: NodeFunctionProps) {
  const { description, timeout, network } = props;
  const logGroup = new LogGroup(scope, 'Log', {
    retention: props.logRetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  return new LambdaFunction(scope, 'Function', {
    description,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    handler: `${program.name}.handler`,
    code: Code.fromAsset(bundleFolder(program)),
    memorySize: props.memoryMiB ?? 512,
    timeout,
    environment: { NODE_OPTIONS: '--enable-source-maps' },
    logGroup,
    loggingFormat: LoggingFormat.JSON,
    applicationLogLevelV2: ApplicationLogLevel.INFO,
    systemLogLevelV2: SystemLogLevel.WARN,
    role: roleOf(scope, logGroup, network !== undefined),
    ...(props.reservedConcurrency !== undefined && {
      reservedConcurrentExecutions: props.reservedConcurrency,
    }),
    ...network,
  });
}

/** A role that may write its own log, and nothing else; AWS's managed policies allow that on every log group. */
function roleOf(scope: Construct, logGroup: LogGroup, inVpc: boolean): Role {
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      Log: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [logGroup.logGroupArn],
          }),
        ],
      }),
      ...(inVpc && { Network: networkPolicy() }),
    },
  });
  if (inVpc) {
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'What Lambda needs for the network interfaces of a function in a VPC. EC2 knows no resource for some of ' +
        'these actions, nor for interfaces before they exist; AWSLambdaVPCAccessExecutionRole allows the same.',
    });
  }
  return role;
}

function networkPolicy(): PolicyDocument {
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        actions: [
          'ec2:AssignPrivateIpAddresses',
          'ec2:CreateNetworkInterface',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:UnassignPrivateIpAddresses',
        ],
        resources: ['*'],
      }),
    ],
  });
}
