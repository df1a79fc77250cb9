// What messages cost: by how many come, over how many topics, in which form they are stored; and what other ways to the same
// table would cost. A message of the estimate has 200 B of JSON. Pure.
import { defaultMaxBatch } from '../../bridge/config/route.ts';
import type { StorageForm } from '../../functions/contract/storage-form.ts';
import { prices } from './prices.ts';

/** What the messages are that a month is reckoned for. */
export interface Traffic {
  readonly perSecond: number;
  readonly topics: number;
}

export const traffics: readonly Traffic[] = [
  { perSecond: 1, topics: 100 },
  { perSecond: 100, topics: 100 },
  { perSecond: 100, topics: 10_000 },
  { perSecond: 10_000, topics: 10_000 },
  { perSecond: 10_000, topics: 60_000 },
];

const secondsOfMonth = 730 * 3600;

/** A message of the estimate, as the item that stores it: a write unit is 1 KB of item. */
export const itemBytes = 600;

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

/** A route of items keeps `lingerMs`; a packed one waits longer above 50 messages a second, but not for more than this many. */
const lingerSeconds = { items: 0.005, packed: 0.25 } as const;
const packedWaitsFrom = 50;
export const packedWaitsFor = 100;

/** Messages in a request: the one that begins it, and those that come while it waits. */
export function batchOf({ perSecond }: Traffic, form: StorageForm): number {
  const waits = form === 'packed' && perSecond >= packedWaitsFrom;
  const batch = 1 + perSecond * lingerSeconds[waits ? 'packed' : 'items'];
  return Math.min(waits ? packedWaitsFor : defaultMaxBatch, batch);
}

/** The registry of topics: a write a minute for each topic that has had a message in it. */
export function registryUnits({ perSecond, topics }: Traffic): number {
  return Math.min(1, topics / 60 / perSecond);
}

/** Requests of fewer messages are stored as items. */
const packedFrom = 4;

/**
 * Write units a message with its index, and bytes stored, by the messages of a request: counted by `npm run bench:ingest` for 200 B
 * of JSON over 1,000 topics (functions/docs/storage.md).
 */
const packedCounted = [
  { batch: 100, units: 0.054, bytes: 47 },
  { batch: 25, units: 0.092, bytes: 61 },
  { batch: packedFrom, units: 0.28, bytes: 156 },
] as const;
/** Of topics with one message a minute: `npm run bench:packed` counts 0.085 with two merges, and there are two more. */
const slowTopicUnits = 0.1;

/** What is counted of packed messages, with so many in a request; undefined where they are stored as items. */
export function packedFigures(batch: number) {
  return packedCounted.find((one) => batch >= one.batch);
}

function packedFiguresOf(traffic: Traffic) {
  const found = packedFigures(batchOf(traffic, 'packed'));
  if (found === undefined) return undefined;
  const isSlow = registryUnits(traffic) >= 1;
  return { ...found, units: isSlow ? Math.max(slowTopicUnits, found.units) : found.units };
}

/** Write units a message, all in. */
export function writeUnits(traffic: Traffic, form: StorageForm): number {
  const packed = form === 'packed' ? packedFiguresOf(traffic) : undefined;
  return packed?.units ?? 1 + registryUnits(traffic);
}

/** Dollars of storage a message, with recovery, for as long as it is kept. */
function storageDollars(bytes: number, retentionDays: number): number {
  const gbMonths = (bytes / 1e9) * (retentionDays / 30);
  return gbMonths * (prices.dynamoDbGbMonth + prices.dynamoDbRecoveryGbMonth);
}

function lambdaDollars(batch: number, memoryMiB: number): number {
  const gbSeconds = ingestRequest(batch).seconds * (memoryMiB / 1024);
  return (prices.lambdaRequest + gbSeconds * prices.lambdaArmGbSecond) / batch;
}

/** From the broker and to ingest, with headers: an estimate. */
const trafficBytes = 1000;

export interface MonthOptions {
  readonly retentionDays: number;
  readonly ingestMemoryMiB: number;
  readonly natGateway: boolean;
}

/** Dollars of a month of these messages, beside the idle ones. */
export function trafficMonth(traffic: Traffic, form: StorageForm, options: MonthOptions): number {
  const { retentionDays, ingestMemoryMiB, natGateway } = options;
  const packed = form === 'packed' ? packedFiguresOf(traffic) : undefined;
  const bytes = packed?.bytes ?? itemBytes;
  const each =
    writeUnits(traffic, form) * prices.dynamoDbWriteUnit +
    storageDollars(bytes, retentionDays) +
    lambdaDollars(batchOf(traffic, form), ingestMemoryMiB) +
    (natGateway ? (trafficBytes / 1e9) * prices.natGatewayGb : 0);
  return each * traffic.perSecond * secondsOfMonth;
}

/** Other ways from a broker to an item of a message each: no registry, no retries of ours, and no broker but where it is named. */
export const otherWays = {
  /** A message, a rule, and its action, a PutItem. The broker is in it, but not the minutes of connections. */
  'AWS IoT rule': () => prices.iotMessage + prices.iotRule + prices.iotAction,
  /** Devices publish to $aws/rules/…, and nobody else can subscribe. */
  'Basic Ingest': () => prices.iotRule + prices.iotAction,
  /** EMQX writes each itself; its servers and its licence are not in it. */
  'EMQX action': () => 0,
  /** A rule sends each to a queue; a function takes and deletes ten at a time. */
  'IoT, SQS, Lambda': (memoryMiB: number) =>
    prices.iotMessage +
    prices.iotRule +
    prices.iotAction +
    prices.sqsRequest * (1 + 2 / 10) +
    lambdaDollars(10, memoryMiB),
} as const satisfies Record<string, (memoryMiB: number) => number>;

export type OtherWay = keyof typeof otherWays;

/** Dollars of a month of these messages on another way. */
export function otherMonth(
  way: OtherWay,
  { perSecond }: Traffic,
  { retentionDays, ingestMemoryMiB }: MonthOptions,
): number {
  const each =
    otherWays[way](ingestMemoryMiB) +
    prices.dynamoDbWriteUnit +
    storageDollars(itemBytes, retentionDays);
  return each * perSecond * secondsOfMonth;
}
