// What a session holds of the process's memory, until a message's PUBACK has left.
import { randomBytes } from 'node:crypto';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { Delivery } from '../../../bridge/base/delivery.ts';
import { parseConfig } from '../../../bridge/config/config.ts';
import { type Account, Budget } from '../../../bridge/memory/budget.ts';
import { ReceiptClock } from '../../../bridge/session/receipt-clock.ts';
import { Session } from '../../../bridge/session/session.ts';
import type { Subscriber } from '../../../bridge/session/subscriber.ts';
import { startEmbedded } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';

const largeBytes = 100_000;

/** Subscribes to all that there is. */
const subscriber: Subscriber = {
  connected: (link) => link.client.subscribe('#', { qos: 1 }),
  ended: async () => {},
  state: { kind: 'active' },
  ownerOf: () => 'own',
  warnings: [],
};

async function start(memory: Account, qos: 0 | 1 = 1) {
  const broker = await startEmbedded();
  const parsed = parseConfig({
    broker: { url: broker.url, protocolVersion: 4 },
    routes: [{ name: 'store', filter: '#', url: 'https://handler.example/' }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  const deliveries: Delivery[] = [];
  let dropped = 0;
  const session = new Session({
    broker: { ...parsed.value.broker, secrets: undefined, certificates: undefined } as never,
    clientId: 'causeway-store-0',
    subscriber,
    window: 100,
    maxWindowBytes: 1e9,
    memory,
    lingerMs: 0,
    receiptClock: new ReceiptClock(),
    log: pino({ level: 'silent' }),
    onDelivery: (delivery) => deliveries.push(delivery),
    onStalled: () => {},
    onQoS0Dropped: () => {
      dropped++;
    },
  });
  const device = await mqtt.connectAsync(broker.url);
  onTestFinished(async () => {
    device.end(true);
    await session.close();
    await broker.stop();
  });
  await until(() => session.state.kind === 'active');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const publish = (count: number, bytes = largeBytes) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        device.publishAsync(`t/${index}`, randomBytes(bytes), { qos }),
      ),
    );
  return { session, broker, deliveries, publish, dropped: () => dropped };
}

test('large messages that are settled behind one that is not leave no more than their digests', async () => {
  const memory = new Budget(1e9).open(1e8);
  const { deliveries, publish } = await start(memory);
  await publish(10);
  await until(() => deliveries.length === 10);
  expect(memory.heldBytes).toBeGreaterThan(10 * largeBytes);
  for (const delivery of deliveries.slice(1)) delivery.settle();
  await until(() => memory.heldBytes < 1.2 * largeBytes);
  expect(memory.heldBytes).toBeGreaterThan(largeBytes);
  deliveries[0]?.settle();
  await until(() => memory.heldBytes === 0);
});

test('small ones count until their PUBACK has left', async () => {
  const memory = new Budget(1e9).open(1e8);
  const { deliveries, publish } = await start(memory);
  await publish(10, 100);
  await until(() => deliveries.length === 10);
  const all = memory.heldBytes;
  for (const delivery of deliveries.slice(1)) delivery.settle();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(memory.heldBytes).toBe(all);
  deliveries[0]?.settle();
  await until(() => memory.heldBytes === 0);
});

test('a session that ends gives back what it holds, once it is settled', async () => {
  const memory = new Budget(1e9).open(1e8);
  const { session, deliveries, publish } = await start(memory);
  await publish(4, 100);
  await until(() => deliveries.length === 4);
  for (const delivery of deliveries.slice(2)) delivery.settle();
  await session.close();
  const left = memory.heldBytes;
  expect(left).toBeGreaterThan(0);
  deliveries[0]?.settle();
  deliveries[1]?.settle();
  expect(memory.heldBytes).toBe(0);
});

test('without room it reads no more, and goes on when another route gives something back', async () => {
  const budget = new Budget(10 * largeBytes);
  const [memory, other] = [budget.open(2 * largeBytes), budget.open(largeBytes)];
  other.take(8 * largeBytes);
  const { deliveries, publish } = await start(memory);
  await publish(5);
  await until(() => deliveries.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(deliveries).toHaveLength(1);
  other.give(8 * largeBytes);
  await until(() => deliveries.length >= 3);
  for (let done = 0; done < 5; done++) {
    await until(() => deliveries.length > done);
    deliveries[done]?.settle();
  }
  await until(() => memory.heldBytes === 0);
});

test('at QoS 0 what finds no room is dropped and counted', async () => {
  const memory = new Budget(3 * largeBytes).open(3 * largeBytes);
  const { deliveries, publish, dropped } = await start(memory, 0);
  await publish(6);
  await until(() => deliveries.length + dropped() === 6);
  expect(deliveries).toHaveLength(2);
  for (const delivery of deliveries) delivery.settle();
  expect(memory.heldBytes).toBe(0);
});
