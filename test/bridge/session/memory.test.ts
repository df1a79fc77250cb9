// What a session holds of the process's memory, until a message's PUBACK has left.
import { expect, test } from 'vitest';
import { Budget } from '../../../bridge/memory/budget.ts';
import { until } from '../../support/wait.ts';
import { largeBytes, startSession } from './lone-session.ts';

test('large messages that are settled behind one that is not leave no more than their digests', async () => {
  const memory = new Budget(1e9).open(1e8);
  const { deliveries, publish } = await startSession(memory);
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
  const { deliveries, publish } = await startSession(memory);
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
  const { session, deliveries, publish } = await startSession(memory);
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
  const { deliveries, publish } = await startSession(memory);
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
  const { deliveries, publish, dropped } = await startSession(memory, 0);
  await publish(6);
  await until(() => deliveries.length + dropped() === 6);
  expect(deliveries).toHaveLength(2);
  for (const delivery of deliveries) delivery.settle();
  expect(memory.heldBytes).toBe(0);
});
