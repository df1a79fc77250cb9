// What makes a broker close is tried where nobody waits behind it: others are sent meanwhile, and the culprit fails alone.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { QueuedCommand } from '../../../functions/table/queued-command.ts';
import { command, inLedger, queueLength, record } from '../../support/queue.ts';
import { until } from '../../support/wait.ts';
import { startFakeBroker } from '../fake-broker.ts';
import { deliver, start, texts } from './scripted-dispatch.ts';

const evil = (count: number, parts: Parameters<typeof command>[0] = {}): QueuedCommand[] =>
  Array.from({ length: count }, (_, index) =>
    command({ topic: `evil/${index}`, payload: 'poison', caller: 'bad', ...parts }),
  );
const honest = (name: string, parts: Parameters<typeof command>[0] = {}) =>
  command({ topic: `good/${name}`, payload: name, caller: 'good', ...parts });

test('a caller whose commands make the broker close delays nobody, and all of them fail', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack, close }) => (text === 'poison' ? close() : ack());
  const setup = await start(broker);
  const poison = evil(40);
  await record(setup.table, ...poison);
  const given = deliver(
    setup,
    poison.map(({ id }) => id),
    60_000,
  );
  await until(() => broker.connects > 2);
  // Each of them is a question of some reconnects; before, of twice as many as there was poison before it.
  for (let count = 0; count < 5; count++) {
    const one = honest(`${count}`);
    await record(setup.table, one);
    const [outcome] = await deliver(setup, [one.id], 5000);
    expect(outcome?.status).toBe('sent');
  }
  expect(await queueLength(setup.table)).toBeGreaterThan(0);
  const outcomes = await given;
  expect(new Set(outcomes.map(({ status, error }) => error?.code ?? status))).toEqual(
    new Set(['broker-refused']),
  );
  expect(texts(broker).filter((text) => text === 'poison').length).toBeLessThanOrEqual(3 * 40);
});

test('one that is innocent is sent before the caller who did it is tried again', async () => {
  const broker = await startFakeBroker();
  const held: (() => void)[] = [];
  broker.onPublish = ({ ack }) => void held.push(ack);
  const setup = await start(broker);
  const [bad, good] = [evil(5), [honest('1'), honest('2'), honest('3')]];
  await record(setup.table, ...bad, ...good);
  const outcomes = deliver(
    setup,
    [...bad, ...good].map(({ id }) => id),
    30_000,
  );
  await until(() => broker.published.length === 8);
  broker.onPublish = ({ text, ack, close }) => (text === 'poison' ? close() : ack());
  broker.published.length = 0;
  broker.cut();
  expect((await outcomes).map(({ status }) => status)).toEqual([
    ...bad.map(() => 'failed'),
    ...good.map(() => 'sent'),
  ]);
  // All were suspect. At most one of the culprit's was tried before them.
  const before = texts(broker).slice(0, texts(broker).indexOf('3'));
  expect(before.filter((text) => text === 'poison').length).toBeLessThanOrEqual(1);
});

test('order holds on a topic whose commands change between the connections', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack, close }) => (text === 'poison' ? close() : ack());
  const setup = await start(broker, { pollSeconds: 1 });
  // Of one topic, with poison in between, from two callers.
  const commands = Array.from({ length: 30 }, (_, index) =>
    command({
      topic: 'shared',
      payload: index % 10 === 4 ? 'poison' : `${index}`,
      caller: index % 2 === 0 ? 'bad' : 'good',
    }),
  );
  await record(setup.table, ...commands);
  const outcomes = await deliver(
    setup,
    commands.map(({ id }) => id),
    30_000,
  );
  expect(outcomes.map(({ status }) => status)).toEqual(
    commands.map((_, index) => (index % 10 === 4 ? 'failed' : 'sent')),
  );
  const first = [...new Set(texts(broker))].filter((text) => text !== 'poison');
  expect(first).toEqual(first.toSorted((a, b) => Number(a) - Number(b)));
});

test('while the broker does not answer the commands of one, those of others do not wait', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack }) => text !== 'poison' && ack();
  const setup = await start(broker, { ackTimeoutMs: 1000 });
  const poison = evil(3);
  await record(setup.table, ...poison);
  const given = deliver(
    setup,
    poison.map(({ id }) => id),
    20_000,
  );
  // The first time, nobody could know.
  await until(() => broker.connects >= 3);
  for (let count = 0; count < 3; count++) {
    const one = honest(`${count}`);
    await record(setup.table, one);
    expect((await deliver(setup, [one.id], 5000))[0]?.status).toBe('sent');
  }
  expect(broker.connects).toBeLessThan(9);
  expect((await given).map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
});

const asking = (responseTopic: string, parts: Parameters<typeof command>[0] = {}) =>
  command({
    topic: `asked/${responseTopic.slice(0, 20)}`,
    awaitsReply: true,
    properties: { responseTopic, correlationData: Buffer.from(responseTopic) },
    ...parts,
  });

test('a refused SUBACK is recognized: the command fails at once and alone, with the reason', async () => {
  const broker = await startFakeBroker();
  broker.onSubscribe = (filter) => (filter.startsWith('no/') ? 0x87 : 1);
  // Long enough that a test which waits for it fails.
  const setup = await start(broker, { ackTimeoutMs: 60_000 });
  const [refused, fine] = [asking('no/replies'), asking('yes/replies')];
  await record(setup.table, refused, fine);
  const outcomes = await deliver(setup, [refused.id, fine.id], 10_000);
  expect(outcomes).toMatchObject([
    {
      status: 'failed',
      error: { code: 'broker-refused', detail: expect.stringMatching(/Not authorized/) },
    },
    { status: 'sent' },
  ]);
  expect(broker.connects).toBe(1);
});

test.each([
  ['closes', 'close'],
  ['is silent', 'silence'],
] as const)('a response topic on which the broker %s fails alone', async (_, said) => {
  const broker = await startFakeBroker();
  broker.onSubscribe = (filter) => (filter.startsWith('evil/') ? said : 1);
  const setup = await start(broker, { ackTimeoutMs: 500 });
  const bad = asking('evil/replies', { caller: 'bad' });
  await record(setup.table, bad);
  const given = deliver(setup, [bad.id], 20_000);
  await until(() => broker.subscribed.length > 0);
  for (let count = 0; count < 5; count++) {
    const one = asking(`fine/${count}`, { caller: 'good' });
    await record(setup.table, one);
    expect((await deliver(setup, [one.id], 5000))[0]?.status).toBe('sent');
  }
  expect((await given)[0]).toMatchObject({
    status: 'failed',
    error: { detail: expect.stringMatching(/closed the connection on the subscription/) },
  });
  // Once on the connection for all, and twice where it is tried.
  expect(broker.subscribed.filter((filter) => filter.startsWith('evil/'))).toHaveLength(3);
  expect(texts(broker)).toHaveLength(5);
});

test('a drain does not wait for trials for ever, and what is not tried stays in the queue', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack }) => text !== 'poison' && ack();
  const setup = await start(broker, { ackTimeoutMs: 60_000 });
  const poison = evil(3);
  await record(setup.table, ...poison);
  void deliver(
    setup,
    poison.map(({ id }) => id),
  );
  await until(() => broker.published.length === 3);
  broker.cut();
  await until(() => broker.published.length > 3);
  await setup.dispatch.drain(AbortSignal.timeout(200));
  await delay(50);
  expect(await queueLength(setup.table)).toBe(3);
  expect((await inLedger(setup.table, poison[0]?.id ?? '')).status).toBe('pending');
});

test('where the client id is a device that has to exist, trials share its one connection', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack, close }) => (text === 'poison' ? close() : ack());
  const setup = await start(broker, {}, { broker: { clientIds: { commands: 'device-1' } } });
  const commands = [...evil(2), honest('1'), honest('2'), asking('r/1', { caller: 'good' })];
  await record(setup.table, ...commands);
  const outcomes = await deliver(
    setup,
    commands.map(({ id }) => id),
    30_000,
  );
  expect(outcomes.map(({ status }) => status)).toEqual([
    'failed',
    'failed',
    'sent',
    'sent',
    'sent',
  ]);
  expect(new Set(broker.clientIds)).toEqual(new Set(['device-1']));
});
