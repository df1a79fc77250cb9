import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import type { StorageForm } from '../../../functions/contract/storage-form.ts';
import { createStore } from '../../../functions/ingest/storing/message-store.ts';
import {
  costReport,
  idleMonth,
  perMillionMessages,
  perMillionRequests,
  total,
  worstMonthOfToken,
} from '../../../infra/aws/cost.ts';
import { prices } from '../../../infra/aws/prices.ts';
import {
  batchOf,
  ingestRequest,
  otherMonth,
  trafficMonth,
  writeUnits,
} from '../../../infra/aws/traffic-cost.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config/config.ts';
import { minimal } from './synth.ts';

function checked(input: CausewayConfigInput) {
  const parsed = parseCausewayConfig(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

const dollarsOf = (items: ReturnType<typeof idleMonth>, name: RegExp) =>
  items.find(({ item }) => name.test(item))?.dollars;

test('a month of the smallest task is its hours', () => {
  const items = idleMonth(checked(minimal));
  expect(dollarsOf(items, /^Fargate/)).toBeCloseTo(730 * (0.25 * 0.03238 + 0.5 * 0.00356), 6);
  expect(dollarsOf(items, /IPv4/)).toBeCloseTo(3.65, 6);
  expect(dollarsOf(items, /NAT/)).toBeUndefined();
});

test('a second task doubles their price, a NAT gateway takes the place of their addresses', () => {
  const one = idleMonth(checked(minimal));
  const two = idleMonth(checked({ ...minimal, bridge: { tasks: 2, natGateway: true } }));
  expect(dollarsOf(two, /^Fargate/)).toBeCloseTo(2 * (dollarsOf(one, /^Fargate/) ?? 0), 6);
  expect(dollarsOf(two, /public IPv4/)).toBeUndefined();
  expect(dollarsOf(two, /NAT/)).toBeCloseTo(730 * 0.05, 6);
});

test('who looks for what nobody woke it for is paid for, by each task', () => {
  const of = (tasks: 1 | 2) => idleMonth(checked({ ...minimal, bridge: { tasks } }));
  const seconds = 730 * 3600;
  const [one = 0, two = 0] = ([1, 2] as const).map((tasks) => dollarsOf(of(tasks), /looks/));
  expect(two - one).toBeCloseTo(seconds * (1 / 2 + 1 / 60) * prices.dynamoDbReadUnit, 6);
});

test('presence is in the footnote where it is kept', () => {
  expect(costReport(checked(minimal))).not.toContain('two writes');
  expect(costReport(checked({ ...minimal, presence: { source: 'last-will' } }))).toContain(
    'two writes and a read',
  );
});

test('each secret that the config names is paid for', () => {
  const items = idleMonth(
    checked({ ...minimal, broker: { ...minimal.broker, credentialsSecret: 'causeway/broker' } }),
  );
  expect(dollarsOf(items, /^Secrets/)).toBeCloseTo(prices.secretMonth, 6);
  const pushed = idleMonth(checked({ ...minimal, push: { onenet: { tokenSecret: 'a' } } }));
  expect(dollarsOf(pushed, /^Secrets/)).toBeCloseTo(prices.secretMonth, 6);
});

test('larger batches make fewer requests, and as many writes', () => {
  const config = checked(minimal);
  const single = perMillionMessages(config, 1, 'items');
  const batched = perMillionMessages(config, 500, 'items');
  expect(dollarsOf(single, /^Lambda requests/)).toBeCloseTo(0.2, 6);
  expect(dollarsOf(batched, /^Lambda requests/)).toBeCloseTo(0.2 / 500, 6);
  expect(dollarsOf(batched, /writes/)).toBeCloseTo(0.625, 6);
  expect(dollarsOf(single, /writes/)).toBeCloseTo(0.625, 6);
  expect(total(batched)).toBeLessThan(total(single));
});

test('the report has every item, its total and the date of the prices', () => {
  const config = checked(minimal);
  const report = costReport(config);
  for (const { item } of [...idleMonth(config), ...perMillionMessages(config, 100, 'packed')])
    expect(report).toContain(item);
  expect(report).toContain(prices.asOf);
});

/** Counts what a batch takes of DynamoDB. */
class CountingClient {
  writeCalls = 0;
  items = 0;
  largestItemBytes = 0;

  async send(command: { readonly input: { readonly RequestItems?: Record<string, unknown[]> } }) {
    for (const requests of Object.values(command.input.RequestItems ?? {})) {
      this.writeCalls++;
      this.items += requests.length;
      const bytes = requests.map((request) => Buffer.byteLength(JSON.stringify(request)));
      this.largestItemBytes = Math.max(this.largestItemBytes, ...bytes);
    }
    return {};
  }
}

test.each([1, 25, 26, 500])('the calls for %i messages are those that ingest makes', async (n) => {
  const client = new CountingClient();
  const store = createStore({
    client: client as unknown as DynamoDBClient,
    tableName: 'messages',
    retentionDays: 30,
  });
  const messages = Array.from({ length: n }, (_, index) => ({
    id: `_W63EK1bGPkhTtlI-${index}`,
    time: '2026-11-23T04:37:01.752000Z',
    topic: `site/north/sensor-${index}/reading`,
    source: 'mqtts://broker.example.com:8883/causeway-store-0',
    payload: Buffer.alloc(256, 'x'),
    qos: 1 as const,
    retain: false,
  }));
  expect(await store.put(messages, { storage: 'items' })).toEqual([]);
  const { writeCalls, writeUnits } = ingestRequest(n);
  expect(client.writeCalls).toBe(writeCalls);
  expect(client.items).toBe(writeUnits);
  expect(client.largestItemBytes).toBeLessThan(1024);
});

test('the worst month of one token is what its limits let through, within those of the table', () => {
  const of = (input: Partial<CausewayConfigInput>) =>
    worstMonthOfToken(checked({ ...minimal, ...input }));
  const seconds = 730 * 3600;
  const usual = of({});
  expect(dollarsOf(usual, /writes/)).toBeCloseTo(seconds * 800 * prices.dynamoDbWriteUnit, 4);
  expect(dollarsOf(usual, /reads/)).toBeCloseTo(seconds * 500 * prices.dynamoDbReadUnit, 4);
  const limits = { maxReadUnitsPerSecond: 100, maxWriteUnitsPerSecond: 50 };
  const limited = of({ table: limits });
  expect(dollarsOf(limited, /writes/)).toBeCloseTo(seconds * 50 * prices.dynamoDbWriteUnit, 4);
  expect(dollarsOf(limited, /reads/)).toBeCloseTo(seconds * 100 * prices.dynamoDbReadUnit, 4);
  const half = of({ api: { callerCommandsPerSecond: 50, requestsPerSecond: 50 } });
  expect(total(half)).toBeLessThan(total(usual));
  expect(costReport(checked(minimal))).toContain('worst month that one token can cause');
});

test('slow topics cost a write each for the registry, as they were counted, and packed ones do not', () => {
  // Write units a message at 1,000 msg/s, by topics.
  const counted = [
    [100, 1.002],
    [1000, 1.013],
    [10_000, 1.165],
    [60_000, 2],
  ] as const;
  for (const [topics, units] of counted)
    expect(writeUnits({ perSecond: 1000, topics }, 'items')).toBeCloseTo(units, 2);
  for (const perSecond of [100, 1000, 10_000])
    expect(writeUnits({ perSecond, topics: 60_000 }, 'packed')).toBeLessThanOrEqual(0.2);
  const slow = { perSecond: 1, topics: 100 };
  expect(writeUnits(slow, 'packed')).toBe(writeUnits(slow, 'items'));
});

test('a batch is what comes while its first message waits', () => {
  expect(batchOf({ perSecond: 1, topics: 1 }, 'packed')).toBeLessThan(2);
  expect(batchOf({ perSecond: 100, topics: 1 }, 'items')).toBeCloseTo(1.5, 6);
  expect(batchOf({ perSecond: 100, topics: 1 }, 'packed')).toBeCloseTo(26, 6);
  expect(batchOf({ perSecond: 10_000, topics: 1 }, 'packed')).toBe(100);
});

test('a month of messages is below that of a rule for each of them', () => {
  const options = { retentionDays: 30, ingestMemoryMiB: 512, natGateway: false };
  const traffic = { perSecond: 100, topics: 1000 };
  const items = trafficMonth(traffic, 'items', options);
  expect(items).toBeLessThan(otherMonth('AWS IoT rule', traffic, options));
  expect(trafficMonth(traffic, 'packed', options)).toBeLessThan(items / 4);
  const byNat = trafficMonth(traffic, 'items', { ...options, natGateway: true });
  expect(byNat - items).toBeCloseTo(100 * 730 * 3600 * 1e-6 * prices.natGatewayGb, 6);
});

test('which routes are stored as items is in the report', () => {
  expect(costReport(checked(minimal))).toContain('routes stored as items: none');
  const items = { name: 'store', filter: '#', storage: 'items' } as const;
  expect(costReport(checked({ ...minimal, routes: [items] }))).toContain(
    'routes stored as items: store',
  );
});

test('a million packed messages are a tenth of the writes', () => {
  const config = checked(minimal);
  const writesOf = (form: StorageForm) =>
    dollarsOf(perMillionMessages(config, 100, form), /writes/);
  expect(writesOf('packed')).toBeLessThan((writesOf('items') ?? 0) / 10);
});

test('a request is paid to the HTTP API, too', () => {
  const items = perMillionRequests(checked(minimal));
  expect(dollarsOf(items, /^HTTP API/)).toBeCloseTo(1, 6);
  expect(dollarsOf(items, /command/)).toBeCloseTo(8 * 0.625, 6);
});
