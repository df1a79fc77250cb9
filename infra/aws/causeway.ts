// The construct: `new Causeway(this, 'Causeway', { broker, routes })` in any stack.
import { Duration } from 'aws-cdk-lib';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { rulesOf } from '../../bridge/config/profile-settings.ts';
import { faultsText } from '../../functions/contract/parse.ts';
import {
  type CausewayConfig,
  type CausewayConfigInput,
  parseCausewayConfig,
} from '../config/config.ts';
import { targetPorts } from './bridge-document.ts';
import { BridgeService } from './bridge-service.ts';
import { ApiFunction, IngestFunction } from './functions.ts';
import { MessagesTable } from './messages-table.ts';
import { Monitoring } from './monitoring.ts';
import { Network } from './network.ts';
import { PublicInterface } from './public-interface.ts';
import { standInsFor, type WithConstructs } from './stand-ins.ts';
import { ingestTimeoutSecondsOf } from './timeouts.ts';

/**
 * Every setting of the config, with the same names, limits and defaults. A secret may be an `ISecret`, a handler an
 * `IFunction`, and what need not be known at synth a token.
 */
export interface CausewayProps extends WithConstructs<CausewayConfigInput> {
  /**
   * The VPC to run in; its private subnets must reach DynamoDB. It stands for `bridge.vpcId`.
   *
   * @default - a VPC of its own, without NAT
   */
  readonly vpc?: IVpc;
}

export class Causeway extends Construct {
  /** The config as it is used, with all defaults, and tokens where props had some. */
  readonly config: CausewayConfig;
  readonly table: MessagesTable;
  readonly network: Network;
  readonly ingest: IngestFunction;
  readonly api: ApiFunction;
  readonly bridge: BridgeService;
  readonly publicInterface: PublicInterface;
  readonly monitoring: Monitoring;

  /** Throws for a config that is wrong or unsafe, with every problem and its path, before anything is made. */
  constructor(scope: Construct, id: string, { vpc, ...input }: CausewayProps) {
    super(scope, id);
    const standIns = standInsFor(vpc === undefined ? input : inGivenVpc(input));
    const parsed = parseCausewayConfig(standIns.input);
    const faults = standIns.faults(parsed.ok ? [] : parsed.faults);
    if (!parsed.ok || faults.length > 0) throw new Error(`Causeway: ${faultsText(faults)}`);
    // What is computed from texts, such as ports from URLs, takes this one.
    const checked = standIns.withNumbers(parsed.value);
    const config = standIns.restore(checked);
    this.config = config;
    const { routes, writeShards, logRetentionDays } = config;

    this.table = new MessagesTable(this, 'Messages', {
      deletionProtection: config.deletionProtection,
      settings: config.table,
    });
    this.ingest = new IngestFunction(this, 'Ingest', {
      ...config.ingest,
      retentionDays: standIns.restore(String(config.retentionDays)),
      writeShards,
      push: config.push,
      timeout: Duration.seconds(ingestTimeoutSecondsOf(routes)),
      logRetentionDays,
    });
    this.network = new Network(this, 'Network', {
      vpc,
      natGateway: config.bridge.natGateway,
      bridgeTargets: targetPorts(checked),
      logRetentionDays,
    });
    this.bridge = new BridgeService(this, 'Bridge', {
      network: this.network,
      config: checked,
      standIns,
      tableName: this.table.table.tableName,
      ingestUrl: this.ingest.invocationUrl,
    });
    this.api = new ApiFunction(this, 'Api', {
      api: config.api,
      brokerRules: rulesOf(checked.broker),
      network: this.network,
      memoryMiB: config.api.memoryMiB,
      reservedConcurrency: config.api.reservedConcurrency,
      writeShards,
      logRetentionDays,
    });
    this.publicInterface = new PublicInterface(this, 'PublicInterface', {
      api: this.api,
      push: config.push.onenet === undefined ? undefined : this.ingest,
      requestsPerSecond: config.api.requestsPerSecond,
      logRetentionDays,
    });

    this.table.grantIngest(this.ingest);
    this.table.grantApi(this.api);
    this.table.grantBridge(this.bridge);
    this.ingest.grantInvoke(this.bridge);

    this.monitoring = new Monitoring(this, 'Monitoring', {
      bridge: this.bridge,
      ingest: this.ingest,
      api: this.api,
      table: this.table,
      publicInterface: this.publicInterface,
      hasPush: config.push.onenet !== undefined,
      hasDashboard: config.alarms.dashboard,
      email: config.alarms.email,
    });
    // Before the first task runs, an alarm that rings for missing data would ring in every first deploy.
    this.monitoring.alarms.node.addDependency(this.bridge.service);
  }
}

/** The config of a deployment in a VPC that is given as a construct, whose id is not known before the deploy. */
function inGivenVpc(input: Omit<CausewayProps, 'vpc'>): Omit<CausewayProps, 'vpc'> {
  return { ...input, bridge: { ...input.bridge, vpcId: 'vpc-00000000' } };
}
