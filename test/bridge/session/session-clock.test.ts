// Times of receipt of whole bridges whose clocks are wrong, one after the other: in files, and in a table.
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localClient } from '../../../infra/local/database.ts';
import { type BridgeInput, startTestBridge, untilReady } from '../../support/bridges.ts';
import { startEmbedded, type TestBroker, temporaryFolder } from '../../support/brokers.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { routeToken, statusOf } from '../../support/route-control.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const hourMs = 3_600_000;

let broker: TestBroker;
let handler: TestHandler;
let device: MqttClient;
let table: TestTable;
let lives = 0;
beforeAll(async () => {
  [broker, table] = await Promise.all([startEmbedded(), startTable()]);
});
afterAll(() => Promise.all([broker.stop(), table.close()]));
beforeEach(async () => {
  handler = await startHandler();
  device = await mqtt.connectAsync(broker.url);
  lives++;
});
afterEach(async () => {
  await device.endAsync(true);
  await handler.close();
});

/** A bridge whose clock is so far off. */
async function start(offsetMs: number, input: Partial<BridgeInput>) {
  const clock = { offsetMs };
  const logged: string[] = [];
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: handler.url,
    token: routeToken,
    broker: { clientIdPrefix: `clock${lives}` },
    now: () => Date.now() + clock.offsetMs,
    onLog: (line) => logged.push(line),
    ...input,
  });
  await untilReady(bridge);
  await until(async () => (await statusOf(bridge.url)).state === 'active');
  return { bridge, clock, logged };
}

/** Each process has a client of its own, which keeps the middleware of its first calls. */
const ownTable = () => ({ ...table, client: localClient(table.endpoint) });

async function received(text: string): Promise<{ time: string; receivedafter?: string }> {
  await device.publishAsync('a', text, { qos: 1 });
  return (await until(() => handler.stored.find(({ data }) => data === text))) as never;
}

const clockError = async (url: string) =>
  Number(
    /^causeway_clock_error_seconds (.*)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1],
  );

describe.each(['files', 'a table'])('kept in %s', (where) => {
  const store = () =>
    where === 'files' ? { quarantineFolder: temporaryFolder('clock') } : { table: ownTable() };

  test('a bridge whose clock is 45 s behind goes on behind the times of the one before', async () => {
    const kept = store();
    const first = await start(0, kept);
    const { time } = await received('first');
    await first.bridge.drain();
    const second = await start(-45_000, kept);
    const next = await received('second');
    expect(next.time > time).toBe(true);
    expect(next.receivedafter).toBeUndefined();
    expect((await statusOf(second.bridge.url)).sessions[0]?.orderBrokenUntil).toBeUndefined();
  });

  test('set back by two hours while it runs: followed, told, and known to the next one', async () => {
    const kept = store();
    const first = await start(0, kept);
    const { time } = await received('first');
    first.clock.offsetMs = -2 * hourMs;
    const next = await received('second');
    expect(Date.parse(time) - Date.parse(next.time)).toBeGreaterThan(1.9 * hourMs);
    expect(next.receivedafter).toBe(time);
    expect((await statusOf(first.bridge.url)).sessions[0]?.orderBrokenUntil).toBe(time);
    expect(first.logged.filter((line) => line.includes('out of order by time'))).toHaveLength(1);
    await first.bridge.drain();
    // The table would say that the clock is wrong.
    if (where === 'a table') return;
    await start(-2 * hourMs, kept);
    expect((await received('third')).receivedafter).toBe(time);
  });
});

test('a clock that DynamoDB says is wrong is corrected before the first message, and is a warning and a metric', async () => {
  const { bridge, clock, logged } = await start(-hourMs, { table: ownTable() });
  expect(Math.abs((await clockError(bridge.url)) + 3600)).toBeLessThan(70);
  expect(logged.filter((line) => line.includes('the clock of this machine is wrong'))).toHaveLength(
    1,
  );
  const { time } = await received('corrected');
  expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(30_000);
  // Somebody sets it right: leases are renewed meanwhile, and DynamoDB's answers agree.
  clock.offsetMs = 0;
  await until(async () => (await clockError(bridge.url)) === 0);
  const next = await received('right');
  expect(next.time > time).toBe(true);
  expect(Date.parse(next.time) - Date.now()).toBeLessThan(30_000);
  expect(next.receivedafter).toBeUndefined();
});

test('without a table, the Date of our own ingest says it; that of another handler is not believed', async () => {
  handler.answer = (_, response) => void response.end('{"batchItemFailures":[]}');
  await start(2 * hourMs, { route: { ingest: true } });
  const { time } = await received('ingest');
  expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(30_000);
  const other = await start(2 * hourMs, { broker: { clientIdPrefix: `other${lives}` } });
  await device.publishAsync('b', 'another', { qos: 1 });
  const unchecked = await until(() =>
    handler.stored.find(
      ({ subject, source }) => subject === 'b' && String(source).includes(`other${lives}`),
    ),
  );
  expect(Date.parse(String(unchecked['time'])) - Date.now()).toBeGreaterThan(1.9 * hourMs);
  expect(await clockError(other.bridge.url)).toBe(0);
});
