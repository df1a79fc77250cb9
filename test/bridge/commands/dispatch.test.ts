// Commands and a broker that answers as it pleases, and a table that fails: windows, refusals, states.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLedger } from '../../../bridge/commands/ledger.ts';
import { command, inLedger, queueLength, record } from '../../support/queue.ts';
import { until } from '../../support/wait.ts';
import { startFakeBroker } from '../fake-broker.ts';
import { deliver, start, texts } from './scripted-dispatch.ts';

test('never more unacknowledged than the broker’s receive maximum, or the window', async () => {
  for (const { receiveMaximum, window, most } of [
    { receiveMaximum: 5, window: 100, most: 5 },
    { receiveMaximum: 100, window: 3, most: 3 },
  ]) {
    const broker = await startFakeBroker({ receiveMaximum });
    broker.onPublish = ({ ack }) => setTimeout(ack, 5);
    const setup = await start(broker, { window });
    // QoS 2 takes its place until PUBCOMP.
    const commands = Array.from({ length: 60 }, (_, number) =>
      command({ topic: `d/${number % 10}`, qos: number % 10 < 5 ? 1 : 2 }),
    );
    await record(setup.table, ...commands);
    const outcomes = await deliver(
      setup,
      commands.map(({ id }) => id),
    );
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['sent']));
    expect(broker.mostUnacknowledged).toBe(most);
  }
});

test('a command of another QoS waits for what is in flight to its topic', async () => {
  const broker = await startFakeBroker();
  const waiting: (() => void)[] = [];
  broker.onPublish = ({ ack }) => void waiting.push(ack);
  const setup = await start(broker);
  const commands = ([1, 1, 2] as const).map((qos, index) => command({ qos, payload: `${index}` }));
  await record(setup.table, ...commands);
  const sent = deliver(
    setup,
    commands.map(({ id }) => id),
  );
  await until(() => waiting.length === 2);
  await delay(50);
  expect(texts(broker)).toEqual(['0', '1']);
  for (const ack of waiting) ack();
  await until(() => waiting.length === 3);
  waiting[2]?.();
  expect((await sent).map(({ status }) => status)).toEqual(['sent', 'sent', 'sent']);
});

test('what the broker says it does not take is not sent to it', async () => {
  const broker = await startFakeBroker({
    maximumPacketSize: 200,
    maximumQoS: 1,
    retainAvailable: false,
  });
  const setup = await start(broker);
  const commands = [
    command({ payload: 'x'.repeat(200) }),
    command({ qos: 2 }),
    command({ retain: true }),
    command({ payload: 'good' }),
  ];
  await record(setup.table, ...commands);
  const outcomes = await deliver(
    setup,
    commands.map(({ id }) => id),
  );
  expect(outcomes.map(({ status, error }) => error?.detail ?? status)).toEqual([
    expect.stringMatching(/^it takes a packet of 2\d\d bytes, and the broker 200$/),
    'the broker takes QoS 1 at most',
    'the broker does not retain messages',
    'sent',
  ]);
  expect(texts(broker)).toEqual(['good']);
  expect(broker.connects).toBe(1);
});

test('no matching subscribers, and a refusal, by their reason codes at QoS 1 and 2; no answer says that there are some', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack }) => ack(Number(text));
  const setup = await start(broker);
  const commands = ([1, 2] as const).flatMap((qos) =>
    [0, 0x10, 0x87].map((code) => command({ topic: `d/${qos}`, qos, payload: String(code) })),
  );
  await record(setup.table, ...commands);
  const outcomes = await deliver(
    setup,
    commands.map(({ id }) => id),
  );
  expect(outcomes.map(({ hadSubscribers }) => hadSubscribers)).not.toContain(true);
  expect(outcomes).toMatchObject(
    [0, 1].flatMap(() => [
      { status: 'sent' },
      { status: 'sent', hadSubscribers: false },
      {
        status: 'failed',
        error: {
          code: 'broker-refused',
          detail: 'the broker refused it with 0x87 (Not authorized)',
        },
      },
    ]),
  );
});

test('never sent before the broker has acknowledged it, and told only when the ledger says so', async () => {
  const broker = await startFakeBroker();
  let ack = () => {};
  broker.onPublish = (published) => {
    ack = published.ack;
  };
  const setup = await start(broker);
  const one = command();
  await record(setup.table, one);
  expect(await deliver(setup, [one.id], 200)).toEqual([{ id: one.id, status: 'pending' }]);
  expect((await inLedger(setup.table, one.id)).status).toBe('pending');
  setup.failing.add('markSent');
  const waiting = deliver(setup, [one.id]);
  ack();
  await delay(200);
  expect((await inLedger(setup.table, one.id)).status).toBe('pending');
  expect(await queueLength(setup.table)).toBe(1);
  setup.failing.delete('markSent');
  expect(await waiting).toMatchObject([{ status: 'sent' }]);
  // It was not sent again while its state could not be written.
  expect(texts(broker)).toEqual(['on']);
});

test('a database that is down for a while: nothing is lost, or sent twice', async () => {
  const broker = await startFakeBroker();
  const setup = await start(broker, { pollSeconds: 1 });
  for (const name of ['queued', 'get', 'markSent', 'remove'] as const) setup.failing.add(name);
  const commands = Array.from({ length: 30 }, (_, index) => command({ payload: `${index}` }));
  await record(setup.table, ...commands);
  const waiting = deliver(
    setup,
    commands.map(({ id }) => id),
    20_000,
  );
  await delay(100);
  setup.failing.delete('queued');
  await until(() => broker.published.length === 30);
  setup.failing.clear();
  expect(new Set((await waiting).map(({ status }) => status))).toEqual(new Set(['sent']));
  await until(async () => (await queueLength(setup.table)) === 0);
  expect(texts(broker)).toEqual(commands.map(({ payload }) => payload.toString()));
});

test('a command that comes into the queue again is not sent again, and one without its payload fails', async () => {
  const broker = await startFakeBroker();
  const setup = await start(broker);
  const one = command();
  await record(setup.table, one);
  await deliver(setup, [one.id]);
  await until(async () => (await queueLength(setup.table)) === 0);
  const { results } = setup.counters;
  // As an api does that died in between.
  await record(setup.table, one);
  const large = command({ payload: Buffer.alloc(500_000), topic: 'd/1/cmd' });
  await record(setup.table, large);
  const ledger = createLedger(setup.table.client, setup.table.tableName);
  await ledger.remove([{ pk: { S: `command-payload/${large.id}` }, sk: { S: '000001' } }]);
  expect(await deliver(setup, [large.id])).toMatchObject([{ status: 'failed' }]);
  await until(async () => (await queueLength(setup.table)) === 0);
  expect([texts(broker), results.sent]).toEqual([['on'], 1]);
});

test('states only go forward', async () => {
  const broker = await startFakeBroker();
  const { table } = await start(broker);
  const ledger = createLedger(table.client, table.tableName);
  const one = command();
  await record(table, one);
  const at = new Date().toISOString();
  const reply = { topic: 't', receivedAt: at, payloadBase64: 'eA==' };
  // A reply that overtakes the PUBACK, and what comes after it in vain.
  const answered = await ledger.markAnswered(one.id, reply);
  expect(answered).toMatchObject({ status: 'answered', reply });
  const late = [
    await ledger.markSent(one.id, at, true),
    await ledger.markFailed(one.id, { code: 'broker-refused', detail: '' }, at),
    await ledger.markExpired(one.id, at),
    await ledger.markAnswered(one.id, { ...reply, topic: 'other' }),
  ];
  for (const entry of late) expect(entry).toEqual(answered);
  expect(answered?.history.map(({ status }) => status)).toEqual(['pending', 'answered']);
  expect(await ledger.markSent(command().id, at, true)).toBeUndefined();
});

test('a drain waits for what is in flight, and takes no more', async () => {
  const broker = await startFakeBroker();
  let ack = () => {};
  broker.onPublish = (published) => {
    ack = published.ack;
  };
  const setup = await start(broker, { window: 1 });
  const [one, two] = [command({ payload: '1' }), command({ payload: '2' })];
  await record(setup.table, one, two);
  const waiting = deliver(setup, [one.id, two.id]);
  // The second has been taken from the queue, too, and waits for the window.
  await until(() => broker.published.length === 1 && setup.dispatch.waiting === 2);
  const drained = setup.dispatch.drain(new AbortController().signal);
  ack();
  await until(() => broker.published.length === 2);
  ack();
  await drained;
  expect((await waiting).map(({ status }) => status)).toEqual(['sent', 'sent']);
  expect(await queueLength(setup.table)).toBe(0);
});

test('an empty list of user properties is none', async () => {
  const broker = await startFakeBroker();
  const setup = await start(broker);
  const one = command({ properties: { userProperties: [] } });
  await record(setup.table, one);
  expect(await deliver(setup, [one.id])).toMatchObject([{ status: 'sent' }]);
  expect(broker.connects).toBe(1);
});
