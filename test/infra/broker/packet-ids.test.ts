// Packet ids: while a message is in flight, no other message gets its id, whatever the connections do.
import { once } from 'node:events';
import { parser as createParser } from 'mqtt-packet';
import { expect, test } from 'vitest';
import type { Message } from '../../../infra/broker/packets/message.ts';
import { plainSubscription } from '../../../infra/broker/routing/subscription.ts';
import { Subscriptions } from '../../../infra/broker/routing/subscriptions.ts';
import { storedQueue } from '../../../infra/broker/session/queue.ts';
import { Sessions } from '../../../infra/broker/session/sessions.ts';
import { limitsSchema } from '../../../infra/broker/settings/settings.ts';
import { Store } from '../../../infra/broker/store/broker-store.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { fc } from '../../support/property.ts';
import { until } from '../../support/wait.ts';
import { bytes, connectPacket, open, subscribePacket } from './raw-client.ts';
import { start } from './started.ts';

test('the packet id of a message that is not acknowledged is given to no other', async () => {
  const broker = await start({ limits: { maxInflight: 65_535 } });
  const socket = open(broker);
  socket.write(connectPacket('ids'));
  await once(socket, 'data');
  socket.write(subscribePacket('ids', 1));
  await once(socket, 'data');
  const ids = new Set<number>();
  let first: number | undefined;
  const parser = createParser();
  // Acknowledges all but the first.
  parser.on('packet', ({ cmd, messageId = 0 }) => {
    if (cmd !== 'publish') return;
    ids.add(messageId);
    first ??= messageId;
    if (messageId !== first) socket.write(bytes({ cmd: 'puback', messageId }));
  });
  socket.on('data', (chunk) => parser.parse(chunk));
  const message = { topic: 'ids', payload: '', qos: 1 } as const;
  for (let number = 0; number < 66_000; number += 1000)
    await Promise.all(Array.from({ length: 1000 }, () => broker.publish(message)));
  // The message that would have the first one's id waits, and all later ones with it.
  await until(() => ids.size === 65_535);
  let more = 0;
  parser.on('packet', () => more++);
  socket.write(bytes({ cmd: 'puback', messageId: first ?? 0 }));
  await until(() => more === 66_000 - 65_535);
});

/** A folder with a session that has had 65,500 messages, of which these numbers are not acknowledged. */
async function oldSession(clientId: string, left: readonly number[]): Promise<string> {
  const folder = temporaryFolder('packet-ids');
  const store = await Store.open(folder);
  const limits = limitsSchema.parse({});
  const sessions = await Sessions.load(store, new Subscriptions(), limits, createCounters());
  const session = await sessions.open(clientId, undefined);
  await sessions.subscribe(session, plainSubscription('ids', 1));
  const queue = storedQueue(store, clientId);
  for (const number of left) {
    const message = messageOf(`old ${number}`);
    await queue.append(number, { message, qos: 1, retain: false }, false);
  }
  await queue.markSent(65_500);
  await store.close();
  return folder;
}

const messageOf = (text: string): Message => ({
  topic: 'ids',
  payload: Buffer.from(text),
  qos: 1,
  retain: false,
});

/** What a client does next: acknowledges some of what it has, the newest first or the oldest, or comes again. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ take: fc.integer({ min: 1, max: 30 }), newest: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant('reconnect' as const) },
);

test('ids begin again at 1 while old messages are in flight, and clients come and go', async () => {
  const property = fc.asyncProperty(
    fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 }),
    fc.array(step, { maxLength: 15 }),
    async (left, steps) => {
      const folder = await oldSession('churn', left);
      const broker = await start({ folder, limits: { maxInflight: 65_535 } });
      /** What the client has by the present connection, and did not acknowledge. */
      const unacknowledged = new Map<number, string>();
      const received = new Set<string>();
      const clashes: string[] = [];
      const connect = async () => {
        unacknowledged.clear();
        const socket = open(broker);
        const parser = createParser();
        let connected = false;
        parser.on('packet', (packet) => {
          connected ||= packet.cmd === 'connack';
          if (packet.cmd !== 'publish') return;
          const { messageId = 0 } = packet;
          const text = String(packet.payload);
          const other = unacknowledged.get(messageId);
          if (other !== undefined) clashes.push(`${messageId}: ${other}, ${text}`);
          unacknowledged.set(messageId, text);
          received.add(text);
        });
        socket.on('data', (chunk) => parser.parse(chunk));
        socket.write(connectPacket('churn', false));
        await until(() => connected);
        return socket;
      };
      let socket = await connect();
      const acknowledge = (take: number, newest: boolean) => {
        const ids = [...unacknowledged.keys()];
        for (const messageId of newest ? ids.slice(-take) : ids.slice(0, take)) {
          unacknowledged.delete(messageId);
          socket.write(bytes({ cmd: 'puback', messageId }));
        }
      };
      const publishing = Promise.all(
        Array.from({ length: 300 }, (_, number) => broker.publish(messageOf(`new ${number}`))),
      );
      for (const next of steps) {
        if (next === 'reconnect') {
          socket.destroy();
          socket = await connect();
        } else acknowledge(next.take, next.newest);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await publishing;
      await until(() => {
        acknowledge(1000, false);
        return received.size === 300 + left.length;
      });
      expect(clashes).toEqual([]);
      socket.destroy();
      await broker.close();
    },
  );
  await fc.assert(property, { numRuns: 200, interruptAfterTimeLimit: 2000 });
});
