// The bridge: one small Fargate service with a private name, whose tasks hold the MQTT sessions by lease.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Duration, IgnoreMode, Names, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import {
  AwsLogDriverMode,
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
  Secret as TaskSecret,
} from 'aws-cdk-lib/aws-ecs';
import type { IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DnsRecordType, PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import type { BridgeVariable } from '../../bridge/environment.ts';
import type { CausewayConfig } from '../config.ts';
import { type BridgeWiring, bridgeDocument } from './bridge-document.ts';
import type { ApiFunction } from './functions.ts';
import { bridgePort, type Network } from './network.ts';
import { allowTask } from './task-rights.ts';
import { stopTimeoutSeconds } from './timeouts.ts';

export interface BridgeServiceProps extends BridgeWiring {
  readonly network: Network;
  /** A checked config. */
  readonly config: CausewayConfig;
}

/** The repository: what the image is built from, but for what bridge/Dockerfile.dockerignore leaves out. */
const repository = fileURLToPath(new URL('../..', import.meta.url));
const ignored = readFileSync(`${repository}bridge/Dockerfile.dockerignore`, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Liveness alone: a broker or a handler that is away must not make ECS stop a task that waits for it. */
const healthCheck = `fetch('http://127.0.0.1:${bridgePort}/healthz',{signal:AbortSignal.timeout(4000)}).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))`;

export class BridgeService extends Construct implements IGrantable {
  readonly service: FargateService;
  readonly logGroup: LogGroup;
  readonly grantPrincipal: IPrincipal;
  /** What bridge and api know each other by; generated, and nobody needs to see it. */
  readonly internalSecret: Secret;
  readonly #url: string;

  constructor(scope: Construct, id: string, { network, config, ...wiring }: BridgeServiceProps) {
    super(scope, id);
    const { bridge } = config;
    this.internalSecret = this.newInternalSecret();
    this.logGroup = new LogGroup(this, 'Log', {
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });

    const task = new FargateTaskDefinition(this, 'Task', {
      cpu: bridge.cpu,
      memoryLimitMiB: bridge.memoryMiB,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    task.addContainer('bridge', {
      image: ContainerImage.fromAsset(repository, {
        file: 'bridge/Dockerfile',
        platform: Platform.LINUX_ARM64,
        exclude: ignored,
        ignoreMode: IgnoreMode.DOCKER,
      }),
      // The one that distroless images call nonroot.
      user: '65532',
      readonlyRootFilesystem: true,
      portMappings: [{ containerPort: bridgePort }],
      environment: {
        CAUSEWAY_CONFIG: Stack.of(this).toJsonString(bridgeDocument(config, wiring)),
      } satisfies Partial<Record<BridgeVariable, string>>,
      secrets: {
        INTERNAL_SECRET: TaskSecret.fromSecretsManager(this.internalSecret as ISecret),
      } satisfies Partial<Record<BridgeVariable, TaskSecret>>,
      healthCheck: {
        command: ['CMD', '/nodejs/bin/node', '-e', healthCheck],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(30),
      },
      stopTimeout: Duration.seconds(stopTimeoutSeconds),
      // A log that does not get away must not stop the bridge.
      logging: LogDrivers.awsLogs({
        logGroup: this.logGroup,
        streamPrefix: 'bridge',
        mode: AwsLogDriverMode.NON_BLOCKING,
      }),
    });
    this.grantPrincipal = task.taskRole;
    allowTask(task, config);

    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
      enableFargateCapacityProviders: bridge.spot,
    });
    // A VPC has one zone of a name, and several deployments can share a VPC.
    const namespace = new PrivateDnsNamespace(this, 'Namespace', {
      name: `${Names.uniqueResourceName(this, { maxLength: 48, separator: '-' }).toLowerCase()}.internal`,
      vpc: network.vpc,
      description: 'Private name of the Causeway bridge',
    });
    this.service = new FargateService(this, 'Service', {
      cluster: cluster as ICluster,
      taskDefinition: task,
      desiredCount: bridge.tasks,
      // A new task waits for the leases that the old one gives up when it drains, so both may run at once.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      vpcSubnets: network.bridgeSubnets,
      propagateTags: PropagatedTagSource.SERVICE,
      assignPublicIp: network.bridgeIsPublic,
      securityGroups: [network.bridgeSecurityGroup],
      cloudMapOptions: {
        name: 'bridge',
        cloudMapNamespace: namespace,
        dnsRecordType: DnsRecordType.A,
        dnsTtl: Duration.seconds(10),
      },
      ...(bridge.spot && {
        capacityProviderStrategies: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
      }),
    });
    // An image can only be pulled over a route that is there.
    this.service.node.addDependency(network.vpc.internetConnectivityEstablished);
    this.#url = `http://bridge.${namespace.namespaceName}:${bridgePort}`;
    this.acknowledgeRules(task, cluster);
  }

  /**
   * Lets the api function wake the bridge for commands. It gets the secret at deploy time, by a dynamic reference:
   * reading it at run time would take an interface endpoint for Secrets Manager, which costs as much as the bridge.
   */
  grantWake(api: ApiFunction): void {
    api.setVariable('BRIDGE_URL', this.#url);
    api.setVariable('INTERNAL_SECRET', this.internalSecret.secretValue.unsafeUnwrap());
  }

  private newInternalSecret(): Secret {
    const secret = new Secret(this, 'InternalSecret', {
      description: 'What the Causeway bridge and the api function know each other by',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Generated with 64 random characters, used inside one security group between two parts of this stack, ' +
        'known to no person. Both sides take it at deploy time, so a rotation on a schedule would part them.',
    });
    return secret;
  }

  private acknowledgeRules(task: FargateTaskDefinition, cluster: Cluster): void {
    Validations.of(task).acknowledge(
      {
        id: 'AwsSolutions-ECS2',
        reason:
          'The environment holds names and sizes only. Secrets are named in it and read from Secrets Manager by ' +
          'the task, or injected from there by ECS.',
      },
      {
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason:
          'ecr:GetAuthorizationToken knows no resource; CDK grants it to the execution role to pull the image. All ' +
          'other statements name their resources.',
      },
    );
    Validations.of(cluster).acknowledge({
      id: 'AwsSolutions-ECS4',
      reason:
        'Container Insights is billed for each metric. CPU and memory of the service come without it, and alarms ' +
        "rest on the bridge's own metrics, which say more: sessions, holding, dead letters.",
    });
  }
}
