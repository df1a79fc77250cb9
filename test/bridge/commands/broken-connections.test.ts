// Commands on connections that break: which are sent again, in which order, and which one the broker cannot bear.
import { expect, test } from 'vitest';
import { command, queueLength, record } from '../../support/queue.ts';
import { until } from '../../support/wait.ts';
import { startFakeBroker } from '../fake-broker.ts';
import { deliver, start, texts } from './scripted-dispatch.ts';

test('a command on which the broker closes is given up alone; all others are sent, in order', async () => {
  const broker = await startFakeBroker();
  broker.onPublish = ({ text, ack, close }) => (text === 'poison' ? close() : ack());
  const setup = await start(broker);
  const commands = ['1', '2', 'poison', '3', '4'].map((payload) => command({ payload }));
  const others = Array.from({ length: 20 }, (_, index) => command({ topic: `other/${index}` }));
  await record(setup.table, ...commands, ...others);
  const outcomes = await deliver(
    setup,
    [...commands, ...others].map(({ id }) => id),
    20_000,
  );
  expect(outcomes.map(({ status }) => status).join()).toBe(
    ['sent', 'sent', 'failed', 'sent', 'sent', ...others.map(() => 'sent')].join(),
  );
  expect(outcomes[2]?.error).toEqual({
    code: 'broker-refused',
    detail:
      'the connection ended twice with this command alone in flight: the broker closed the connection',
  });
  const first = new Set(texts(broker).filter((text) => text !== 'on'));
  expect([...first]).toEqual(['1', '2', 'poison', '3', '4']);
  expect(texts(broker).filter((text) => text === 'poison').length).toBeLessThanOrEqual(3);
  // And the full window again.
  await until(async () => (await queueLength(setup.table)) === 0);
});

test('a connection that breaks is no reason to give a command up', async () => {
  const broker = await startFakeBroker();
  let hasBroken = false;
  broker.onPublish = ({ ack, text }) => {
    if (text !== '5' || hasBroken) return ack();
    hasBroken = true;
    broker.cut();
  };
  const setup = await start(broker);
  const commands = Array.from({ length: 10 }, (_, index) => command({ payload: `${index}` }));
  await record(setup.table, ...commands);
  const outcomes = await deliver(
    setup,
    commands.map(({ id }) => id),
  );
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['sent']));
  expect([...new Set(texts(broker))]).toEqual([...'0123456789']);
});

test('a publish without PUBACK: a new connection, and it is sent again', async () => {
  const broker = await startFakeBroker();
  let silent = true;
  broker.onPublish = ({ ack }) => {
    if (!silent) ack();
    silent = false;
  };
  const setup = await start(broker, { ackTimeoutMs: 200 });
  const one = command();
  await record(setup.table, one);
  expect(await deliver(setup, [one.id])).toMatchObject([{ status: 'sent' }]);
  // The third is where it is tried, so that nobody waits behind it.
  expect([texts(broker), broker.connects]).toEqual([['on', 'on'], 3]);
});

test('what a broken connection leaves to be sent again is not overtaken', async () => {
  const broker = await startFakeBroker();
  const setup = await start(broker);
  let readOn = () => {};
  const held = new Promise<void>((resolve) => {
    readOn = resolve;
  });
  // The third is being read when the connection breaks, and is there when the next one is made.
  let reads = 0;
  setup.beforeRead = async (text) => {
    if (text === '3' && reads++ === 0) await held;
  };
  broker.onPublish = () => {};
  const commands = ['1', '2', '3'].map((payload) => command({ payload }));
  await record(setup.table, ...commands);
  const sent = deliver(
    setup,
    commands.map(({ id }) => id),
  );
  await until(() => broker.published.length === 2);
  broker.onPublish = ({ ack }) => ack();
  broker.cut();
  await until(() => broker.connects >= 2 && setup.dispatch.connected);
  readOn();
  expect((await sent).map(({ status }) => status)).toEqual(['sent', 'sent', 'sent']);
  expect(texts(broker)).toEqual(['1', '2', '1', '2', '3']);
});
