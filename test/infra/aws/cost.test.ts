import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { createStore } from '../../../functions/ingest/store.ts';
import {
  costReport,
  idleMonth,
  ingestRequest,
  perMillionMessages,
  prices,
  total,
} from '../../../infra/aws/cost.ts';
import { type CausewayConfigInput, parseCausewayConfig } from '../../../infra/config.ts';
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

test('a standby doubles the tasks, a NAT gateway takes the place of their addresses', () => {
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
  expect(two - one).toBeCloseTo((seconds / 2) * prices.dynamoDbReadUnit, 6);
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
  expect(dollarsOf(items, /^Secrets/)).toBeCloseTo(2 * prices.secretMonth, 6);
  const pushed = idleMonth(checked({ ...minimal, push: { onenet: { tokenSecret: 'a' } } }));
  expect(dollarsOf(pushed, /^Secrets/)).toBeCloseTo(2 * prices.secretMonth, 6);
});

test('larger batches make fewer requests, and as many writes', () => {
  const config = checked(minimal);
  const single = perMillionMessages(config, 1);
  const batched = perMillionMessages(config, 500);
  expect(dollarsOf(single, /^Lambda requests/)).toBeCloseTo(0.2, 6);
  expect(dollarsOf(batched, /^Lambda requests/)).toBeCloseTo(0.2 / 500, 6);
  expect(dollarsOf(batched, /writes/)).toBeCloseTo(0.625, 6);
  expect(dollarsOf(single, /writes/)).toBeCloseTo(0.625, 6);
  expect(total(batched)).toBeLessThan(total(single));
});

test('the report has every item, its total and the date of the prices', () => {
  const config = checked(minimal);
  const report = costReport(config);
  for (const { item } of [...idleMonth(config), ...perMillionMessages(config, 500)])
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
  expect(await store.put(messages)).toEqual([]);
  const { writeCalls, writeUnits } = ingestRequest(n);
  expect(client.writeCalls).toBe(writeCalls);
  expect(client.items).toBe(writeUnits);
  expect(client.largestItemBytes).toBeLessThan(1024);
});
