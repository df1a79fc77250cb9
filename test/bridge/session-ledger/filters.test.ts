// The filter of a route changes, or the broker forgets it: what the handler gets is what the config says.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { startHandler } from '../../support/handler.ts';
import { routeToken, statusOf } from '../../support/route-control.ts';
import { until } from '../../support/wait.ts';
import { startForgetfulBroker } from './forgetful-broker.ts';
import { brokers, startLedgerRig } from './rig.ts';

describe.each(brokers)('$name', (broker) => {
  test('another filter: only its messages come, also of those that were queued', async () => {
    const rig = await startLedgerRig(broker);
    const first = await rig.start({ route: { filter: 'private/#' } });
    await rig.publish('private/1', 'one');
    await rig.stored(1);
    await first.drain();
    await rig.publish('private/2', 'two');

    const log: string[] = [];
    const second = await rig.start({
      route: { filter: 'public/#' },
      onLog: (line) => void log.push(line),
      token: routeToken,
    });
    await rig.publish('private/3', 'three');
    await rig.publish('public/1', 'four');
    expect(await rig.stored(2)).toEqual(['four', 'one']);
    // Queued under the earlier filter: acknowledged, counted, and told of with its topic.
    await until(() => log.some((line) => line.includes('private/2')));
    const metrics = await (await fetch(`${second.url}/metrics`)).text();
    expect(metrics).toContain('causeway_foreign_messages_total{route="store"} 1');
    await second.drain();

    const third = await rig.start({ route: { filter: 'public/#' } });
    await rig.publish('private/4', 'five');
    await rig.publish('public/2', 'six');
    expect(await rig.stored(3)).toEqual(['four', 'one', 'six']);
    await third.drain();
    const ledger = await readFile(
      join(rig.quarantineFolder, 'session-ledger', 'causeway.json'),
      'utf8',
    );
    expect(JSON.parse(JSON.parse(ledger).sessions['causeway-store-0'])).toMatchObject({
      subscriptions: [{ filter: 'public/#', qos: 1, state: 'granted' }],
      formerFilters: ['private/#'],
    });
  });

  test('a filter that takes in more brings what was queued under the narrower one', async () => {
    const rig = await startLedgerRig(broker);
    await (await rig.start({ route: { filter: 'a/b' } })).drain();
    await rig.publish('a/b', 'queued');
    await rig.start({ route: { filter: 'a/#' } });
    await rig.publish('a/c', 'new');
    expect(await rig.stored(2)).toEqual(['new', 'queued']);
  });

  test('four starts with one retained message store it once', async () => {
    const rig = await startLedgerRig(broker);
    await rig.device.publishAsync('kept', 'retained', { qos: 1, retain: true });
    for (let round = 1; round <= 4; round++) {
      const bridge = await rig.start();
      await rig.publish('round', String(round));
      await rig.stored(round + 1);
      await bridge.drain();
    }
    expect(await rig.stored(5)).toEqual(['1', '2', '3', '4', 'retained']);
  });
});

describe.each([4, 5] as const)('a broker of version %d that forgets', (version) => {
  async function start(options: Parameters<typeof startForgetfulBroker>[0]) {
    const broker = await startForgetfulBroker(options);
    const handler = await startHandler();
    const log: string[] = [];
    const bridge = await startTestBridge({
      brokerUrl: broker.url,
      handlerUrl: handler.url,
      broker: { protocolVersion: version },
      token: routeToken,
      onLog: (line) => void log.push(line),
    });
    await untilReady(bridge);
    return { broker, bridge, log };
  }

  test('a subscription behind Session Present 1 is asked for again on MQTT 5', async () => {
    const { broker, bridge } = await start({ version });
    broker.cut();
    await until(() => broker.connects === 2 && bridge.status().ready);
    // A client of 3.1.1 cannot see it: a SUBSCRIBE would bring the retained messages once more.
    await until(() => broker.subscribes.length === (version === 5 ? 2 : 1));
    expect(broker.subscribes.every(({ rh }) => version === 4 || rh === 1)).toBe(true);
  });

  test('a session: it is told of, counted, and subscribed again', async () => {
    const { broker, bridge, log } = await start({ version });
    broker.losesSessions = true;
    broker.cut();
    await until(() => broker.subscribes.length === 2);
    await until(async () => (await statusOf(bridge.url)).warnings?.length === 1);
    expect((await statusOf(bridge.url)).warnings).toEqual([
      expect.stringContaining('causeway-store-0'),
    ]);
    expect(log.filter((line) => line.includes('the broker has lost the session'))).toHaveLength(1);
    const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
    expect(metrics).toContain('causeway_lost_sessions_total{route="store"} 1');
  });
});

test('a session that is kept for a shorter time than asked for is told of', async () => {
  const broker = await startForgetfulBroker({ version: 5, sessionExpirySeconds: 3600 });
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: 'https://handler.example',
    token: routeToken,
  });
  await untilReady(bridge);
  expect((await statusOf(bridge.url)).warnings).toEqual([expect.stringContaining('3600 s')]);
});
