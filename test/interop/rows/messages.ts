// Messages of a device, and what of them the table has.
import { randomBytes } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { MqttClient } from 'mqtt';
import { expect } from 'vitest';
import { until } from '../../support/wait.ts';
import type { StoredMessage } from '../api.ts';
import type { World } from '../world.ts';

/** A device waits for its PUBACKs at so many messages: MQTT.js ignores the broker's receive maximum. */
const maxInFlight = 100;

/** The texts `from` to `to` − 1. */
export const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** Publishes at QoS 1, each topic's payloads in their order; resolves when the broker has acknowledged all. */
export async function publishAll(
  device: MqttClient,
  payloads: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const inFlight = new Set<Promise<unknown>>();
  const longest = Math.max(...Object.values(payloads).map(({ length }) => length));
  for (let index = 0; index < longest; index++)
    for (const [topic, texts] of Object.entries(payloads)) {
      const text = texts[index];
      if (text === undefined) continue;
      const publishing = device
        .publishAsync(topic, text, { qos: 1 })
        .finally(() => inFlight.delete(publishing));
      inFlight.add(publishing);
      if (inFlight.size >= maxInFlight) await Promise.race(inFlight);
    }
  await Promise.all(inFlight);
}

/** The payloads of a topic as text, in the order in which they are stored. */
async function textsOf(world: World, topic: string): Promise<string[]> {
  const messages = await world.messages(topic);
  return messages.map(({ payload }) => String(payload));
}

/** Waits until a topic has a message, and gives all that it has. */
export async function untilMessages(world: World, topic: string): Promise<StoredMessage[]> {
  await until(() => world.storedTexts(topic).size > 0, { what: `a message of ${topic}` });
  return world.messages(topic);
}

/** Waits until every text is stored. */
export async function untilStored(
  world: World,
  expected: Readonly<Record<string, readonly string[]>>,
  timeoutMs = 60_000,
): Promise<void> {
  for (const [topic, texts] of Object.entries(expected))
    await until(() => texts.every((text) => world.storedTexts(topic).has(text)), {
      timeoutMs,
      what: `${texts.length} messages of ${topic}`,
    });
}

/** What is not as it should be with published messages: none of it where each is stored once, in order. */
export interface Deviations {
  readonly lost: number;
  readonly storedTwice: number;
  readonly isDisordered: boolean;
}

export const none: Deviations = { lost: 0, storedTwice: 0, isDisordered: false };

/** The judge: reads through the api what has become of what was acknowledged to the devices. */
export async function deviations(
  world: World,
  expected: Readonly<Record<string, readonly string[]>>,
): Promise<Deviations> {
  let lost = 0;
  let storedTwice = 0;
  let isDisordered = false;
  for (const [topic, texts] of Object.entries(expected)) {
    const stored = await textsOf(world, topic);
    const found = new Set(stored);
    lost += texts.filter((text) => !found.has(text)).length;
    storedTwice += stored.length - found.size;
    const order = new Map(texts.map((text, index) => [text, index]));
    const places = [...found].map((text) => order.get(text) ?? -1);
    isDisordered ||= places.some((place, index) => index > 0 && place < (places[index - 1] ?? 0));
  }
  return { lost, storedTwice, isDisordered };
}

/** All is stored once, in order. */
export async function expectStored(
  world: World,
  expected: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  await untilStored(world, expected);
  expect(await deviations(world, expected)).toEqual(none);
}

/** All topics in the table that start so, also those that `#` does not match. */
export async function storedTopics(world: World, prefix: string): Promise<string[]> {
  const topics = new Set<string>();
  let from: Record<string, never> | undefined;
  do {
    const page = await world.table.client.send(
      new ScanCommand({
        TableName: world.table.tableName,
        ProjectionExpression: 'pk',
        FilterExpression: 'begins_with(pk, :prefix)',
        ExpressionAttributeValues: { ':prefix': { S: `m/${prefix}` } },
        ConsistentRead: true,
        ...(from !== undefined && { ExclusiveStartKey: from }),
      }),
    );
    for (const item of page.Items ?? []) topics.add(item['pk']?.S?.slice(2) ?? '');
    from = page.LastEvaluatedKey as Record<string, never> | undefined;
  } while (from !== undefined);
  return [...topics];
}

/** Bytes that are no text. */
export function binary(length: number): Buffer {
  const bytes = randomBytes(length);
  bytes[0] = 0xff;
  return bytes;
}
