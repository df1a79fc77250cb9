// The bridge: one small Fargate service, whose tasks hold the MQTT sessions by lease; the api finds them by their leases.
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
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
import { Construct } from 'constructs';
import type { BridgeVariable } from '../../bridge/environment.ts';
import { bundleFolder, programs } from '../bundle/programs.ts';
import type { CausewayConfig } from '../config/config.ts';
import { awsBridgeDocument, type BridgeWiring, sizeFault } from './bridge-document.ts';
import { bridgePort, type Network } from './network.ts';
import type { StandIns } from './stand-ins.ts';
import { allowTask } from './task-rights.ts';
import { stopTimeoutSeconds } from './timeouts.ts';

export interface BridgeServiceProps extends BridgeWiring {
  readonly network: Network;
  /** A checked config. */
  readonly config: CausewayConfig;
  /** What its texts stand for. */
  readonly standIns: StandIns;
}

/** Liveness alone: a broker or a handler that is away must not make ECS stop a task that waits for it. */
const healthCheck = `fetch('http://127.0.0.1:${bridgePort}/healthz',{signal:AbortSignal.timeout(4000)}).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))`;

export class BridgeService extends Construct implements IGrantable {
  readonly service: FargateService;
  readonly logGroup: LogGroup;
  readonly grantPrincipal: IPrincipal;

  constructor(
    scope: Construct,
    id: string,
    { network, config, standIns, ...wiring }: BridgeServiceProps,
  ) {
    super(scope, id);
    const { bridge } = config;
    const { traces } = bridge;
    const document = awsBridgeDocument(config, wiring);
    const fault = sizeFault(document);
    if (fault !== undefined) throw new Error(`Causeway: ${fault}`);
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
      image: ContainerImage.fromAsset(bundleFolder(programs.bridge), {
        platform: Platform.LINUX_ARM64,
      }),
      // The one that distroless images call nonroot.
      user: '65532',
      readonlyRootFilesystem: true,
      portMappings: [{ containerPort: bridgePort }],
      environment: {
        CAUSEWAY_CONFIG: Stack.of(this).toJsonString(standIns.restore(document)),
        ...(traces !== undefined && {
          OTEL_EXPORTER_OTLP_ENDPOINT: standIns.restore(traces.endpoint),
          OTEL_TRACES_SAMPLER_ARG: String(traces.ratio),
        }),
      } satisfies Partial<Record<BridgeVariable, string>>,
      ...(traces?.headersSecret !== undefined && {
        secrets: {
          OTEL_EXPORTER_OTLP_HEADERS: TaskSecret.fromSecretsManager(
            standIns.secretOf(traces.headersSecret) ??
              secretNamed(this, 'TraceHeaders', traces.headersSecret),
          ),
        } satisfies Partial<Record<BridgeVariable, TaskSecret>>,
      }),
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
    allowTask(task, config, standIns);

    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
      enableFargateCapacityProviders: bridge.spot,
    });
    this.service = new FargateService(this, 'Service', {
      cluster: cluster as ICluster,
      taskDefinition: task,
      // A deploy leaves as many as scaling has come to.
      ...(bridge.scaling === undefined && { desiredCount: bridge.tasks }),
      // Leases keep each session to one task, so old and new ones may run at once.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      vpcSubnets: network.bridgeSubnets,
      propagateTags: PropagatedTagSource.SERVICE,
      assignPublicIp: network.bridgeIsPublic,
      securityGroups: [network.bridgeSecurityGroup],
      ...(bridge.spot && {
        capacityProviderStrategies: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
      }),
    });
    if (bridge.scaling !== undefined)
      this.service
        .autoScaleTaskCount({ minCapacity: bridge.tasks, maxCapacity: bridge.scaling.maxTasks })
        .scaleOnCpuUtilization('Cpu', {
          targetUtilizationPercent: bridge.scaling.cpuPercent,
          // A task that comes or goes moves connections: not at every pause of the load.
          scaleOutCooldown: Duration.minutes(2),
          scaleInCooldown: Duration.minutes(10),
        });
    // An image can only be pulled over a route that is there.
    this.service.node.addDependency(network.vpc.internetConnectivityEstablished);
    this.acknowledgeRules(task, cluster);
  }

  private acknowledgeRules(task: FargateTaskDefinition, cluster: Cluster): void {
    Validations.of(task).acknowledge(
      {
        id: 'AwsSolutions-ECS2',
        reason:
          'The environment holds names and sizes only. Secrets are named in it and read from Secrets Manager by ' +
          'the task.',
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

/** A secret by its name or its ARN. */
function secretNamed(scope: Construct, id: string, name: string): ISecret {
  return name.startsWith('arn:')
    ? Secret.fromSecretCompleteArn(scope, id, name)
    : Secret.fromSecretNameV2(scope, id, name);
}
