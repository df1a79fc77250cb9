// Shared subscriptions: in turn, and nobody who is away holds anything up.
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedFilter } from '../../../infra/broker/packets/requests.ts';
import { plainSubscription } from '../../../infra/broker/routing/subscription.ts';
import { Subscriptions } from '../../../infra/broker/routing/subscriptions.ts';
import type { Receiver } from '../../../infra/broker/session/receiver.ts';
import type { Session } from '../../../infra/broker/session/session.ts';
import { Sessions } from '../../../infra/broker/session/sessions.ts';
import { giveShares } from '../../../infra/broker/session/shared-takeover.ts';
import { limitsSchema } from '../../../infra/broker/settings/settings.ts';
import { Store } from '../../../infra/broker/store/broker-store.ts';
import type { Delivery } from '../../../infra/broker/store/delivery.ts';
import { createCounters } from '../../../infra/broker/telemetry/counters.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { until } from '../../support/wait.ts';
import { connect, start } from './started.ts';

const share = '$share/group/jobs/#';

let store: Store;
beforeAll(async () => {
  store = await Store.open(temporaryFolder('shared'));
});
afterAll(() => store.close());

/** Takes messages, and acknowledges none. */
function receiver(receiveMaximum: number) {
  const got: { text: string; packetId: number }[] = [];
  const way: Receiver = {
    blocked: false,
    receiveMaximum,
    send({ message }, packetId) {
      got.push({ text: String(message.payload), packetId });
      return true;
    },
    sendOrDrop() {},
    release() {},
  };
  return { way, got };
}

const delivery = (text: string, qos: 1 | 2): Delivery => ({
  message: { topic: 'jobs/a', payload: Buffer.from(text), qos, retain: false },
  qos,
  retain: false,
  share,
});

async function members(...names: string[]) {
  const subscriptions = new Subscriptions<Session>();
  const limits = limitsSchema.parse({});
  const sessions = await Sessions.load(store, subscriptions, limits, createCounters());
  const made: Session[] = [];
  for (const name of names) {
    const session = await sessions.open(name, undefined);
    await sessions.subscribe(session, plainSubscription(share, 1));
    made.push(session);
  }
  return { subscriptions, sessions, made };
}

test('what is a shared subscription, and what is none', () => {
  expect(sharedFilter('$share/g/a/+')).toEqual({ group: 'g', filter: 'a/+' });
  expect(sharedFilter('$shared/g/a')).toBeUndefined();
  // No group, or no filter: nothing matches it, and SUBSCRIBE refuses it.
  expect(sharedFilter('$share/g')).toEqual({ group: '', filter: '' });
});

test('members take messages in turn, those of both versions; ordinary subscribers get all', async () => {
  const broker = await start();
  const heard: string[][] = [];
  const listen = async (protocolVersion: 4 | 5, filter: string) => {
    const client: MqttClient = await connect(broker, { protocolVersion });
    const mine: string[] = [];
    heard.push(mine);
    client.on('message', (_, payload) => mine.push(String(payload)));
    await client.subscribeAsync(filter, { qos: 1 });
  };
  await listen(4, share);
  await listen(5, share);
  await listen(5, '$share/other/jobs/#');
  await listen(4, 'jobs/#');
  const all = Array.from({ length: 40 }, (_, number) => String(number));
  for (const text of all) await broker.publish({ topic: 'jobs/a', payload: text, qos: 1 });
  await until(() => heard.flat().length === 40 * 3);
  const [one = [], two = [], other, ordinary] = heard;
  expect([one.length, two.length]).toEqual([20, 20]);
  expect([...one, ...two].sort()).toEqual([...all].sort());
  expect([other, ordinary]).toEqual([all, all]);
});

test('messages go to who is connected, not to a session that waits; with nobody there they wait', async () => {
  const broker = await start();
  const session = { clean: false, clientId: 'away' } as const;
  const away = await connect(broker, session);
  await away.subscribeAsync(share, { qos: 1 });
  await away.endAsync();
  await until(() => broker.clients === 0);
  await broker.publish({ topic: 'jobs/a', payload: 'waits', qos: 1 });
  expect(broker.backlogOf('away')).toBe(1);
  const there = await connect(broker);
  const heard: string[] = [];
  there.on('message', (_, payload) => heard.push(String(payload)));
  await there.subscribeAsync(share, { qos: 1 });
  for (const text of ['a', 'b']) await broker.publish({ topic: 'jobs/a', payload: text, qos: 1 });
  await until(() => heard.length >= 2);
  expect(heard.slice(0, 2)).toEqual(['a', 'b']);
  // Some seconds after it came, it gets what the other has not.
  await until(() => heard.includes('waits'));
  expect(broker.backlogOf('away')).toBe(0);
});

test('of a member that is away, others get what was not sent, and at QoS 1 what was not acknowledged', async () => {
  const { subscriptions, sessions, made } = await members('gone', 'left', 'right');
  const [gone, left, right] = made as [Session, Session, Session];
  const first = receiver(2);
  gone.attach(first.way);
  for (const [text, qos] of [
    ['one', 1],
    ['two', 2],
    ['three', 2],
    ['four', 1],
  ] as const)
    await gone.deliver(delivery(text, qos));
  await until(() => first.got.length === 2);
  const kept = gone.deliver({ ...delivery('own', 1), share: undefined });
  await kept;
  gone.detach(first.way);
  const [toLeft, toRight] = [receiver(10), receiver(10)];
  left.attach(toLeft.way);
  right.attach(toRight.way);
  await giveShares(gone, subscriptions);
  await until(() => toLeft.got.length + toRight.got.length === 3);
  // 'two' has been sent at QoS 2: its delivery is completed with the same client [MQTT-4.8.2-4].
  const given = [...toLeft.got, ...toRight.got].map(({ text }) => text);
  expect(given.sort()).toEqual(['four', 'one', 'three']);
  expect(Math.abs(toLeft.got.length - toRight.got.length)).toBe(1);
  expect(gone.outbox.messages).toBe(2);
  // The next process sees the same.
  await store.settled();
  const again = await members('gone');
  expect(again.sessions.get('gone')?.outbox.messages).toBe(2);
  const back = receiver(10);
  gone.attach(back.way);
  await until(() => back.got.length === 2);
  expect(back.got.map(({ text }) => text)).toEqual(['two', 'own']);
  for (const name of ['gone', 'left', 'right']) await sessions.remove(name);
});

test('nothing moves where nobody is there, where there is no room, or once the client is back', async () => {
  const { subscriptions, sessions, made } = await members('away', 'full');
  const [away, full] = made as [Session, Session];
  await away.deliver(delivery('kept', 1));
  await giveShares(away, subscriptions);
  expect(away.outbox.messages).toBe(1);
  full.attach(receiver(1).way);
  Object.assign(full.outbox.room, { takes: () => false });
  await giveShares(away, subscriptions);
  expect([away.outbox.messages, full.outbox.messages]).toEqual([1, 0]);
  const back = receiver(1);
  away.attach(back.way);
  await giveShares(away, subscriptions);
  await until(() => back.got.length === 1);
  expect(full.outbox.messages).toBe(0);
  for (const name of ['away', 'full']) await sessions.remove(name);
});
