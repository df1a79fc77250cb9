// What a deployment costs, by item: a month in which nothing happens, and a million messages. Pure.
import { defaultMaxBatch } from '../../bridge/config/route.ts';
import { secretNamesIn } from '../../bridge/config/secret-names.ts';
import { type StorageForm, storageForms } from '../../functions/contract/storage-form.ts';
import { bridgeSchema } from '../config/bridge.ts';
import { bridgeSecretNames } from '../config/bridge-document.ts';
import type { CausewayConfig } from '../config/config.ts';
import { pushSchema } from '../config/functions.ts';
import { bridgeRoutes } from '../config/presence-routes.ts';
import { storageFormOf } from '../config/route.ts';
import { prices } from './prices.ts';
import { leaseSecondsOf } from './timeouts.ts';
import {
  ingestRequest,
  itemBytes,
  type OtherWay,
  otherMonth,
  otherWays,
  packedFigures,
  packedWaitsFor,
  type Traffic,
  trafficMonth,
  traffics,
} from './traffic-cost.ts';

export interface CostItem {
  readonly item: string;
  readonly dollars: number;
}

const hoursOfMonth = 730;

/** A month in which no message comes. */
export function idleMonth(config: CausewayConfig): CostItem[] {
  const { bridge } = config;
  const hours = bridge.tasks * hoursOfMonth;
  const share = bridge.spot ? prices.fargateSpotShare : 1;
  const taskHour =
    (bridge.cpu / 1024) * prices.fargateArmVcpuHour +
    (bridge.memoryMiB / 1024) * prices.fargateArmGbHour;
  const hasDashboard = config.alarms.dashboard;
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
    { item: 'DynamoDB, leases', dollars: leaseDollars(config) },
    {
      item: 'DynamoDB, looks for changes and dead letters',
      dollars: looksOfMonth(config) * prices.dynamoDbReadUnit,
    },
    {
      item: 'Secrets Manager',
      dollars:
        (bridgeSecretNames(config).length +
          secretNamesIn(bridgeSchema, config.bridge).length +
          secretNamesIn(pushSchema, config.push).length) *
        prices.secretMonth,
    },
    {
      item: `CloudWatch, ${alarmsOf(config)} alarms, 1 metric${hasDashboard ? ', dashboard' : ''}`,
      dollars:
        alarmsOf(config) * prices.alarmMonth +
        prices.metricMonth +
        (hasDashboard ? prices.dashboardMonth : 0),
    },
    { item: 'logs of metrics', dollars: metricLogGbOfMonth(config) * prices.logGb },
  ].filter(({ dollars }) => dollars > 0);
}

function taskSize({ bridge }: CausewayConfig): string {
  return `${bridge.cpu / 1024} vCPU, ${bridge.memoryMiB} MiB${bridge.spot ? ', Spot' : ''}`;
}

/** However many routes there are: see alarms.ts. */
function alarmsOf({ push }: CausewayConfig): number {
  return push.onenet === undefined ? 2 : 3;
}

/**
 * What a bridge with nothing to do asks of DynamoDB, in calls a second: counted in test/bridge/idle-calls.test.ts. However many
 * sessions there are, it renews one item, looks at one, and counts the dead letters for the log. One bridge of several looks
 * whether there is something to index, at two places.
 */
export function idleCalls(leaseSeconds: number) {
  return { renewals: 4 / leaseSeconds, looks: 1 / 2, counts: 1 / 60, indexLooks: 1 / 60 };
}

/** Several look for what another one leaves, every 0.75 s each. */
function leaseDollars(config: CausewayConfig): number {
  const { tasks } = config.bridge;
  const seconds = hoursOfMonth * 3600;
  const renewals = tasks * seconds * idleCalls(leaseSecondsOf(bridgeRoutes(config))).renewals;
  // A lease and a bridge take about 150 bytes, a look reads them all, and half a unit is 4 KB.
  const items = tasks + leasesOf(config);
  const unitsOfLook = Math.ceil((items * 150) / 4096) / 2;
  const looks = tasks === 1 ? 0 : (tasks * seconds) / 0.75;
  return renewals * prices.dynamoDbWriteUnit + looks * unitsOfLook * prices.dynamoDbReadUnit;
}

/** One for each session, one for commands, and one for replays. */
function leasesOf(config: CausewayConfig): number {
  return 2 + bridgeRoutes(config).reduce((sum, { connections }) => sum + connections, 0);
}

/** Small items, so a unit each. */
function looksOfMonth(config: CausewayConfig): number {
  const { looks, counts, indexLooks } = idleCalls(leaseSecondsOf(bridgeRoutes(config)));
  return (config.bridge.tasks * (looks + counts) + 2 * indexLooks) * hoursOfMonth * 3600;
}

/** One line a minute for each route, and one for the task, of about 300 bytes. */
function metricLogGbOfMonth(config: CausewayConfig): number {
  return ((bridgeRoutes(config).length + 1) * config.bridge.tasks * hoursOfMonth * 60 * 300) / 1e9;
}

/** A million messages of 200 B of JSON that come `batch` in a request, on routes to the ingest function; without a registry. */
export function perMillionMessages(
  config: CausewayConfig,
  batch: number,
  form: StorageForm,
): CostItem[] {
  const { writeUnits, seconds } = ingestRequest(batch);
  const packed = form === 'packed' ? packedFigures(batch) : undefined;
  const { units, bytes } = packed ?? { units: writeUnits / batch, bytes: itemBytes };
  const requests = 1e6 / batch;
  const gb = config.ingest.memoryMiB / 1024;
  const storedGbMonths = ((1e6 * bytes) / 1e9) * (config.retentionDays / 30);
  return [
    { item: 'DynamoDB writes', dollars: 1e6 * units * prices.dynamoDbWriteUnit },
    { item: 'Lambda requests', dollars: requests * prices.lambdaRequest },
    { item: 'Lambda time', dollars: requests * seconds * gb * prices.lambdaArmGbSecond },
    {
      item: `storage and recovery, ${config.retentionDays} days`,
      dollars: storedGbMonths * (prices.dynamoDbGbMonth + prices.dynamoDbRecoveryGbMonth),
    },
  ];
}

/** Write units of a command until it is sent, or of 4 KB of a larger one: ledger, queue, states, and the deletion. */
const writeUnitsOfCommand = 8;

/** Of a request that does not wait. */
const requestSeconds = 0.05;

/** A month in which one token, without the scope `admin`, asks for as much as it gets. */
export function worstMonthOfToken({ api, table: limits }: CausewayConfig): CostItem[] {
  const seconds = hoursOfMonth * 3600;
  const gb = api.memoryMiB / 1024;
  const within = (units: number, limit = Number.POSITIVE_INFINITY) => Math.min(units, limit);
  const writeUnits = within(
    api.callerCommandsPerSecond * writeUnitsOfCommand,
    limits.maxWriteUnitsPerSecond,
  );
  const readUnits = within(api.callerReadUnitsPerSecond, limits.maxReadUnitsPerSecond);
  const held = api.requestsPerSecond * requestSeconds + api.callerWaitingRequests;
  return [
    {
      item: `DynamoDB writes, ${api.callerCommandsPerSecond} commands/s`,
      dollars: seconds * writeUnits * prices.dynamoDbWriteUnit,
    },
    {
      item: `DynamoDB reads, ${readUnits} units/s`,
      dollars: seconds * readUnits * prices.dynamoDbReadUnit,
    },
    {
      item: `HTTP API and Lambda, ${api.requestsPerSecond} requests/s`,
      dollars: seconds * api.requestsPerSecond * (prices.httpApiRequest + prices.lambdaRequest),
    },
    { item: 'Lambda time', dollars: seconds * held * gb * prices.lambdaArmGbSecond },
  ];
}

/** Read units of the newest 100 messages of a topic; packed, of one among 60,000 (`npm run bench:packed`). */
const pageUnits = { items: 5, packed: 60 } as const;

/** A million requests to the API, and what they add that read a page or send a command. */
export function perMillionRequests({ api }: CausewayConfig): CostItem[] {
  const gb = api.memoryMiB / 1024;
  const million = (dollars: number) => 1e6 * dollars;
  const page = (form: StorageForm) => ({
    item: `  with a page of 100 messages, ${form}`,
    dollars: million(pageUnits[form] * prices.dynamoDbReadUnit),
  });
  return [
    { item: 'HTTP API', dollars: million(prices.httpApiRequest) },
    { item: 'Lambda requests', dollars: million(prices.lambdaRequest) },
    { item: 'Lambda time', dollars: million(requestSeconds * gb * prices.lambdaArmGbSecond) },
    ...storageForms.map(page),
    {
      item: '  with a command',
      dollars: million(writeUnitsOfCommand * prices.dynamoDbWriteUnit),
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
  const millionOf = (form: StorageForm) => {
    const many = form === 'packed' ? Math.min(batch, packedWaitsFor) : batch;
    return table(
      `A million messages of 200 B of JSON, ${form}, ${many} a request`,
      perMillionMessages(config, many, form),
    );
  };
  const perMillion =
    stored.length === 0
      ? []
      : [
          ...storageForms
            .filter((form) => stored.some((route) => storageFormOf(route) === form))
            .map(millionOf),
          table(
            'One by one, as a few a second come, in either form',
            perMillionMessages(config, 1, 'items'),
          ),
          traffic(config),
        ];
  const clients =
    config.presence === undefined
      ? ''
      : ' Each time that a client connects or disconnects, two writes and a read.';
  const footnote = `US dollars in us-east-1, ${prices.asOf}, without free tiers and what leaves AWS.${clients}\nPrices, with their sources: infra/aws/prices.ts.`;
  const requests = lines('A million requests to the API, by part', perMillionRequests(config));
  const worst = table('The worst month that one token can cause', worstMonthOfToken(config));
  return `\n${[idle, ...perMillion, requests, worst, footnote].join('\n')}\n\n`;
}

function table(title: string, items: readonly CostItem[]): string {
  return lines(title, [...items, { item: 'total', dollars: total(items) }]);
}

function lines(title: string, items: readonly CostItem[]): string {
  const each = items.map(
    ({ item, dollars }) =>
      `  ${item.padEnd(48)}${dollars.toFixed(dollars < 0.1 ? 3 : 2).padStart(9)}`,
  );
  return `${title}\n${each.join('\n')}\n`;
}

/** By the rate and the topics, beside the idle month, with what other ways would cost for the same. */
function traffic(config: CausewayConfig): string {
  const options = {
    retentionDays: config.retentionDays,
    ingestMemoryMiB: config.ingest.memoryMiB,
    natGateway: config.bridge.natGateway && config.bridge.vpcId === undefined,
  };
  const ways = Object.keys(otherWays) as OtherWay[];
  const heads = [...storageForms, ...ways].map((head) => head.padStart(17)).join('');
  const row = (of: Traffic) => {
    const months = [
      ...storageForms.map((form) => trafficMonth(of, form, options)),
      ...ways.map((way) => otherMonth(way, of, options)),
    ];
    const text = months.map((dollars) => dollars.toFixed(dollars < 100 ? 2 : 0).padStart(17));
    return `  ${`${of.perSecond} msg/s, ${of.topics} topics`.padEnd(27)}${text.join('')}`;
  };
  const asItems = config.routes
    .filter((route) => storageFormOf(route) === 'items')
    .map(({ name }) => name);
  const now = asItems.length === 0 ? 'none' : asItems.join(', ');
  return [
    `A month of messages of 200 B of JSON, kept ${config.retentionDays} days, beside the idle month (routes stored as items: ${now})`,
    `  ${''.padEnd(27)}${heads}`,
    ...traffics.map(row),
    '',
  ].join('\n');
}
