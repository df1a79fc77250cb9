// Where the bridge and the api function run: a VPC of their own without NAT, or the user's.
import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** HTTP port of the bridge inside the network. */
export const bridgePort = 9100;

export interface NetworkProps {
  /**
   * A VPC that is there already. Its private subnets must reach DynamoDB, by a gateway endpoint or a NAT.
   *
   * @default - a new one in two availability zones
   */
  readonly vpc?: IVpc | undefined;
  /**
   * Whether a new VPC has a NAT gateway, and so a fixed address for all that leaves.
   *
   * @default false
   */
  readonly natGateway?: boolean;
  /** TCP ports at which the bridge reaches broker, webhooks and AWS. */
  readonly bridgeTargets: readonly number[];
  /** Days that the log of rejected traffic is kept. */
  readonly logRetentionDays: RetentionDays;
}

export class Network extends Construct {
  readonly vpc: IVpc;
  readonly bridgeSubnets: SubnetSelection;
  readonly apiSubnets: SubnetSelection;
  /** Whether a bridge task needs an address of its own to get out. */
  readonly bridgeIsPublic: boolean;
  readonly bridgeSecurityGroup: SecurityGroup;
  readonly apiSecurityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    this.vpc = props.vpc ?? (this.newVpc(props) as IVpc);

    const hasWayOut = this.vpc.privateSubnets.length > 0;
    if (!hasWayOut && this.vpc.isolatedSubnets.length === 0)
      throw new Error('bridge.vpcId: the VPC has no private subnets; the api function needs one');
    // Without NAT the bridge has a public address, which costs a tenth of one; nothing can connect to it.
    this.bridgeIsPublic = !hasWayOut;
    this.bridgeSubnets = {
      subnetType: hasWayOut ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PUBLIC,
    };
    this.apiSubnets = {
      subnetType: hasWayOut ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED,
    };

    const { vpc } = this;
    this.bridgeSecurityGroup = new SecurityGroup(this, 'BridgeSecurityGroup', {
      vpc,
      description: 'Causeway bridge: out to the broker, webhooks and AWS; in from the api function',
      allowAllOutbound: false,
    });
    for (const port of new Set([443, ...props.bridgeTargets])) {
      this.bridgeSecurityGroup.addEgressRule(
        Peer.anyIpv4(),
        Port.tcp(port),
        'Broker, webhooks, AWS',
      );
    }
    this.apiSecurityGroup = new SecurityGroup(this, 'ApiSecurityGroup', {
      vpc,
      description: 'Causeway api function: out to the bridge and AWS; nothing in',
      allowAllOutbound: false,
    });
    this.apiSecurityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'DynamoDB, OIDC issuer');
    this.apiSecurityGroup.addEgressRule(
      this.bridgeSecurityGroup,
      Port.tcp(bridgePort),
      'Commands to the bridge',
    );
    this.bridgeSecurityGroup.addIngressRule(
      this.apiSecurityGroup,
      Port.tcp(bridgePort),
      'Commands from the api function',
    );
  }

  private newVpc({ natGateway = false, logRetentionDays }: NetworkProps): Vpc {
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.76.0.0/22'),
      maxAzs: 2,
      natGateways: natGateway ? 1 : 0,
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 26, mapPublicIpOnLaunch: false },
        {
          name: 'Private',
          subnetType: natGateway ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED,
          cidrMask: 25,
        },
      ],
      // Closing the default security group takes a custom resource with a function of its own. Nothing uses it.
      restrictDefaultSecurityGroup: false,
      // Costs nothing, and without it the isolated api function could not reach its table.
      gatewayEndpoints: { DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
    });
    const log = new LogGroup(this, 'RejectedTrafficLog', {
      retention: logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // What is accepted is the bridge's own traffic, which it logs itself.
    vpc.addFlowLog('RejectedTraffic', {
      destination: FlowLogDestination.toCloudWatchLogs(log),
      trafficType: FlowLogTrafficType.REJECT,
    });
    return vpc;
  }
}
