// What a deployment costs, by item: a month in which nothing happens, and a million messages. Pure.
import { defaultMaxBatch } from '../../bridge/route-config.ts';
import { queueShards } from '../../functions/contract/command-item.ts';
import type { CausewayConfig } from '../config.ts';
import { bridgeRoutes } from '../presence-routes.ts';
import { secretNames } from './bridge-document.ts';
import { bridgeLine, routeLine } from './bridge-metrics.ts';
import { leaseSecondsOf } from './timeouts.ts';

/** US dollars in us-east-1, without free tiers; other regions differ by a few percent up to a half. */
export const prices = {
  asOf: 'November 2026',
  source: 'aws.amazon.com/<service>/pricing, from secondary sources; check before you rely on it',
  fargateArmVcpuHour: 0.03238,
  fargateArmGbHour: 0.00356,
  /** Part of the price that Spot costs; it varies. */
  fargateSpotShare: 0.35,
  publicIpv4Hour: 0.005,
  natGatewayHour: 0.045,
  lambdaRequest: 0.2e-6,
  lambdaArmGbSecond: 0.0000133334,
  httpApiRequest: 1e-6,
  dynamoDbWriteUnit: 0.625e-6,
  dynamoDbReadUnit: 0.125e-6,
  dynamoDbGbMonth: 0.25,
  dynamoDbRecoveryGbMonth: 0.2,
  privateZoneMonth: 0.5,
  secretMonth: 0.4,
  alarmMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
  logGb: 0.5,
} as const;

export interface CostItem {
  readonly item: string;
  readonly dollars: number;
}

const hoursOfMonth = 730;

/** A month in which no message comes. */
export function idleMonth(config: CausewayConfig): CostItem[] {
  const { bridge } = config;
  const routes = bridgeRoutes(config);
  const hours = bridge.tasks * hoursOfMonth;
  const share = bridge.spot ? prices.fargateSpotShare : 1;
  const taskHour =
    (bridge.cpu / 1024) * prices.fargateArmVcpuHour +
    (bridge.memoryMiB / 1024) * prices.fargateArmGbHour;
  const metrics = routes.length * routeLine.fields.length + bridgeLine.fields.length;
  const hasOwnVpc = bridge.vpcId === undefined;
  return [
    { item: `Fargate, ${bridge.tasks} × ${taskSize(config)}`, dollars: hours * taskHour * share },
    ...(hasOwnVpc && !bridge.natGateway
      ? [{ item: 'public IPv4 of the tasks', dollars: hours * prices.publicIpv4Hour }]
      : []),
    ...(hasOwnVpc && bridge.natGateway
      ? [
          {
            item: 'NAT gateway with its IPv4',
            dollars: hoursOfMonth * (prices.natGatewayHour + prices.publicIpv4Hour),
          },
        ]
      : []),
    { item: `DynamoDB, ${leasesOf(config)} leases`, dollars: leaseDollars(config) },
    {
      item: 'DynamoDB, looks for commands, replays, pauses',
      dollars: looksOfMonth(config) * prices.dynamoDbReadUnit,
    },
    { item: 'private DNS zone', dollars: prices.privateZoneMonth },
    {
      item: 'Secrets Manager',
      dollars: (1 + secretNames(config).length + pushSecrets(config)) * prices.secretMonth,
    },
    {
      item: `CloudWatch, ${alarmsOf(config)} alarms, ${metrics} metrics, dashboard`,
      dollars:
        alarmsOf(config) * prices.alarmMonth + metrics * prices.metricMonth + prices.dashboardMonth,
    },
    { item: 'logs of metrics', dollars: metricLogGbOfMonth(config) * prices.logGb },
  ];
}

function taskSize({ bridge }: CausewayConfig): string {
  return `${bridge.cpu / 1024} vCPU, ${bridge.memoryMiB} MiB${bridge.spot ? ', Spot' : ''}`;
}

/** Those that whoever deploys reads. */
function pushSecrets({ push: { onenet } }: CausewayConfig): number {
  return [onenet?.tokenSecret, onenet?.aesKeySecret].filter((name) => name !== undefined).length;
}

/** Three alarms a route, six for all. */
function alarmsOf(config: CausewayConfig): number {
  return 3 * bridgeRoutes(config).length + 6;
}

/** Leases: one for each session, one for commands, and one for replays. */
function leasesOf(config: CausewayConfig): number {
  return 2 + bridgeRoutes(config).reduce((sum, { connections }) => sum + connections, 0);
}

/** A lease is renewed four times in its time, and a standby looks at it every 0.3 s. */
function leaseDollars(config: CausewayConfig): number {
  const seconds = leasesOf(config) * hoursOfMonth * 3600;
  const renewals = (seconds * 4) / leaseSecondsOf(bridgeRoutes(config));
  const looks = ((config.bridge.tasks - 1) * seconds) / 0.3;
  return renewals * prices.dynamoDbWriteUnit + looks * prices.dynamoDbReadUnit;
}

/** The queue of commands and replays every ten seconds, and each task the states of routes every two. */
function looksOfMonth({ bridge }: CausewayConfig): number {
  return ((queueShards + 1) / 10 + bridge.tasks / 2) * hoursOfMonth * 3600;
}

/** One line a minute for each route, and one for the task, of about 300 bytes. */
function metricLogGbOfMonth(config: CausewayConfig): number {
  return ((bridgeRoutes(config).length + 1) * config.bridge.tasks * hoursOfMonth * 60 * 300) / 1e9;
}

/** A message of the estimate, as the item that stores it: a write unit is 1 KB of item. */
const itemBytes = 600;

/** Calls and time of one request to ingest, counted in test/infra/aws/cost.test.ts for such messages. */
export function ingestRequest(messages: number): {
  readonly writeCalls: number;
  readonly writeUnits: number;
  readonly seconds: number;
} {
  const writeCalls = Math.ceil(messages / 25);
  return {
    writeCalls,
    writeUnits: messages * Math.ceil(itemBytes / 1024),
    // Eight calls side by side of about 10 ms; 0.1 ms of CPU a message at a third of a vCPU.
    seconds: 0.005 + Math.ceil(writeCalls / 8) * 0.01 + messages * 0.0001,
  };
}

/** A million messages that come `batch` in a request, on routes to the ingest function. */
export function perMillionMessages(config: CausewayConfig, batch: number): CostItem[] {
  const { writeUnits, seconds } = ingestRequest(batch);
  const requests = 1e6 / batch;
  const gb = config.ingest.memoryMiB / 1024;
  const storedGbMonths = ((1e6 * itemBytes) / 1e9) * (config.retentionDays / 30);
  return [
    { item: 'DynamoDB writes', dollars: requests * writeUnits * prices.dynamoDbWriteUnit },
    { item: 'Lambda requests', dollars: requests * prices.lambdaRequest },
    { item: 'Lambda time', dollars: requests * seconds * gb * prices.lambdaArmGbSecond },
    {
      item: `storage and recovery, ${config.retentionDays} days`,
      dollars: storedGbMonths * (prices.dynamoDbGbMonth + prices.dynamoDbRecoveryGbMonth),
    },
  ];
}

export function total(items: readonly CostItem[]): number {
  return items.reduce((sum, { dollars }) => sum + dollars, 0);
}

/** The estimate as text, for `cdk` to print. */
export function costReport(config: CausewayConfig): string {
  const stored = config.routes.filter(({ handler }) => handler === undefined);
  const idle = table('A month in which nothing happens', idleMonth(config));
  const batch = Math.min(...stored.map(({ maxBatch = defaultMaxBatch }) => maxBatch));
  const perMillion =
    stored.length === 0
      ? []
      : [
          table(
            `A million messages below 1 KB, ${batch} a request`,
            perMillionMessages(config, batch),
          ),
          table('The same one by one, as a few a second come', perMillionMessages(config, 1)),
        ];
  const clients =
    config.presence === undefined
      ? ''
      : '; each time that a client connects or disconnects, two writes and a read';
  const footnote = `US dollars in us-east-1, ${prices.asOf}, without free tiers and traffic; topics add a write a minute each${clients}.`;
  return `\n${[idle, ...perMillion, footnote].join('\n')}\n\n`;
}

function table(title: string, items: readonly CostItem[]): string {
  const lines = [...items, { item: 'total', dollars: total(items) }].map(
    ({ item, dollars }) =>
      `  ${item.padEnd(48)}${dollars.toFixed(dollars < 0.1 ? 3 : 2).padStart(9)}`,
  );
  return `${title}\n${lines.join('\n')}\n`;
}
