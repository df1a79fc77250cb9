// A session that another bridge is to have: it goes when nothing of it is in flight, and stays where that cannot be.
import mqtt from 'mqtt';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { Delivery } from '../../../bridge/base/delivery.ts';
import type { Acquire } from '../../../bridge/base/leased.ts';
import { WallClock } from '../../../bridge/base/wall-clock.ts';
import { parseConfig } from '../../../bridge/config/config.ts';
import { Budget } from '../../../bridge/memory/budget.ts';
import { type Member, startMember } from '../../../bridge/session/member.ts';
import { SessionClocks } from '../../../bridge/session/session-clock.ts';
import { folderStamps } from '../../../bridge/session/stamp-folder.ts';
import type { Subscriber } from '../../../bridge/session/subscriber.ts';
import { startEmbedded, temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';

const log = pino({ level: 'silent' });

const subscriber: Subscriber = {
  connected: (link) => link.client.subscribe('#', { qos: 1 }),
  ended: async () => {},
  state: { kind: 'active' },
  ownerOf: () => 'own',
  warnings: [],
};

interface Leased {
  /** Of the present lease. */
  recall(): void;
  kept: number;
  released: number;
}

async function start(settleMs: number) {
  const broker = await startEmbedded();
  const parsed = parseConfig({
    broker: { url: broker.url },
    routes: [{ name: 'store', filter: '#', url: 'https://handler.example/' }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  let recalled = new AbortController();
  const leased: Leased = { recall: () => recalled.abort(), kept: 0, released: 0 };
  let isTaken = false;
  const acquire: Acquire = async (_name, _log, signal) => {
    await until(() => !isTaken || signal.aborted);
    if (signal.aborted) return undefined;
    isTaken = true;
    return {
      lost: new AbortController().signal,
      get recalled() {
        return recalled.signal;
      },
      keep() {
        leased.kept++;
        recalled = new AbortController();
      },
      release: async () => void leased.released++,
    };
  };
  const deliveries: Delivery[] = [];
  const clocks = new SessionClocks({
    store: folderStamps(temporaryFolder('member')),
    wallClock: new WallClock({ log }),
    log,
  });
  const member: Member = startMember(
    {
      broker: { ...parsed.value.broker, secrets: undefined, certificates: undefined } as never,
      clientId: 'causeway-store-0',
      window: 100,
      maxWindowBytes: 1e9,
      memory: new Budget(1e9).open(1e8),
      lingerMs: 0,
      clock: clocks.of('causeway-store-0'),
      log,
      settleMs,
      openSubscriber: async () => subscriber,
      deliverTo: () => (delivery) => void deliveries.push(delivery),
      onStalled: () => {},
      onQoS0Dropped: () => {},
    },
    acquire,
    log,
  );
  const device = await mqtt.connectAsync(broker.url);
  onTestFinished(async () => {
    await device.endAsync(true);
    await member.close();
    await broker.stop();
  });
  await until(() => member.state().kind === 'active');
  let sent = 0;
  /** Until it has been delivered: SUBACK comes a moment after the state. */
  async function publish(): Promise<Delivery> {
    const number = ++sent;
    return until(async () => {
      await device.publishAsync('a', String(number), { qos: 1 });
      return deliveries.find(({ message }) =>
        Buffer.from(message.payload).equals(Buffer.from(String(number))),
      );
    });
  }
  const settleAll = () => {
    for (const delivery of deliveries) delivery.settle();
  };
  return { member, device, deliveries, leased, publish, settleAll };
}

test('it goes once what is in flight is settled, and takes nothing more meanwhile', async () => {
  const { member, device, deliveries, leased, publish, settleAll } = await start(600_000);
  await publish();
  const { length } = deliveries;
  leased.recall();
  await until(() => member.isStalled());
  await device.publishAsync('a', 'later', { qos: 1 });
  expect([leased.released, member.state().kind]).toEqual([0, 'active']);
  settleAll();
  await until(() => leased.released === 1);
  expect([member.state().kind, deliveries.length, leased.kept]).toEqual(['standby', length, 0]);
});

test('it stays where that is not settled in time, and takes messages again', async () => {
  const { member, leased, publish } = await start(50);
  await publish();
  leased.recall();
  await until(() => leased.kept === 1);
  await publish();
  expect([leased.released, member.state().kind]).toEqual([0, 'active']);
});
