// A session on a broker of its own, whose deliveries a test settles, and a device that publishes.
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import mqtt from 'mqtt';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Delivery } from '../../../bridge/base/delivery.ts';
import { parseConfig } from '../../../bridge/config/config.ts';
import { type Account, Budget } from '../../../bridge/memory/budget.ts';
import { ReceiptClock } from '../../../bridge/session/receipt-clock.ts';
import { Session } from '../../../bridge/session/session.ts';
import type { Subscriber } from '../../../bridge/session/subscriber.ts';
import { startEmbedded } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';

export const largeBytes = 100_000;

export async function startSession(memory: Account = new Budget(1e9).open(1e8), qos: 0 | 1 = 1) {
  const broker = await startEmbedded();
  const parsed = parseConfig({
    broker: { url: broker.url, protocolVersion: 4 },
    routes: [{ name: 'store', filter: '#', url: 'https://handler.example/' }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  const deliveries: Delivery[] = [];
  const streams: Duplex[] = [];
  /** Subscribes to all that there is. */
  const subscriber: Subscriber = {
    connected({ client }) {
      streams.push(client.stream);
      client.subscribe('#', { qos: 1 });
    },
    ended: async () => {},
    state: { kind: 'active' },
    ownerOf: () => 'own',
    warnings: [],
  };
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
  return { session, deliveries, streams, publish, dropped: () => dropped };
}
