// Deadlines are of the api's clock: a bridge whose clock is another one neither sends late nor gives up early.
import { expect, test } from 'vitest';
import { ApiClock } from '../../../bridge/commands/api-clock.ts';
import { command, record } from '../../support/queue.ts';
import { startFakeBroker } from '../fake-broker.ts';
import { deliver, start } from './scripted-dispatch.ts';

const minuteMs = 60_000;

test('ten minutes behind, the device gets no more time than was asked for', async () => {
  const broker = await startFakeBroker();
  const clock = new ApiClock(() => Date.now() - 10 * minuteMs);
  const setup = await start(broker, {}, { clock });
  const one = command({ expiresAtBroker: true, expirySeconds: 60 });
  await record(setup.table, one);
  expect(await deliver(setup, [one.id])).toMatchObject([{ status: 'sent' }]);
  expect(broker.published[0]?.packet.properties?.messageExpiryInterval).toBe(60);
});

test('ten minutes ahead, it is sent, and the time that is left is right', async () => {
  const broker = await startFakeBroker();
  const clock = new ApiClock(() => Date.now() + 10 * minuteMs);
  clock.observe(new Date().toUTCString());
  const setup = await start(broker, {}, { clock });
  const one = command({ expiresAtBroker: true, expirySeconds: 60 });
  await record(setup.table, one);
  expect(await deliver(setup, [one.id])).toMatchObject([{ status: 'sent' }]);
  const left = broker.published[0]?.packet.properties?.messageExpiryInterval;
  expect(left).toBeGreaterThan(30);
  expect(left).toBeLessThanOrEqual(60);
});

test('the request that came fastest is believed; small differences count for nothing', () => {
  const clock = new ApiClock(() => 1_000_000);
  const at = (ms: number) => new Date(ms).toUTCString();
  clock.observe('no date');
  clock.observe(at(997_000));
  expect(clock.now()).toBe(1_000_000);
  // Half a minute on its way.
  clock.observe(at(970_000));
  expect(clock.now()).toBe(1_000_000);
  const ahead = new ApiClock(() => 1_000_000);
  for (const ms of [370_000, 400_000, 390_000]) ahead.observe(at(ms));
  expect(ahead.now()).toBe(400_000);
});
