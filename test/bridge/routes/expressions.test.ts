// A route with where and transform from broker to handler, and what is told of the messages on the way.
import mqtt from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { startEmbedded } from '../../support/brokers.ts';
import { startHandler } from '../../support/handler.ts';
import { statusOf, routeToken as token } from '../../support/route-control.ts';
import { until } from '../../support/wait.ts';

test('only what where lets pass reaches the handler, as transform makes it; all of it is acknowledged and counted', async () => {
  const broker = await startEmbedded();
  onTestFinished(() => broker.stop());
  const handler = await startHandler();
  onTestFinished(() => handler.close());
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: handler.url,
    token,
    route: {
      where: 'payload.celsius > 30 or $exists(payload.broken)',
      transform: '$exists(payload.broken) ? $error("broken: " & levels[1]) : {"room": levels[1]}',
    },
  });
  await untilReady(bridge);
  const device = await mqtt.connectAsync(broker.url);
  onTestFinished(() => device.endAsync(true));
  const publish = (room: string, payload: object) =>
    device.publishAsync(`rooms/${room}`, JSON.stringify(payload), { qos: 1 });
  await publish('cellar', { celsius: 12 });
  await publish('kitchen', { celsius: 31 });
  await publish('attic', { broken: true });
  await publish('bath', { celsius: 33 });

  await until(async () => {
    const { receivedMessages, unsettledMessages } = await statusOf(bridge.url);
    return receivedMessages === 4 && unsettledMessages === 0;
  });
  const got = handler.stored.map(({ subject, contenttype, data }) => [subject, contenttype, data]);
  expect(got.map(([subject, type]) => [subject, type]).sort()).toEqual([
    ['rooms/bath', 'application/json'],
    ['rooms/kitchen', 'application/json'],
  ]);
  expect(JSON.stringify(got)).toContain('bath');
  expect(await statusOf(bridge.url)).toMatchObject({
    deliveredMessages: 2,
    filteredMessages: 1,
    quarantinedMessages: 1,
  });
  const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
  expect(metrics).toContain('causeway_filtered_messages_total{route="store"} 1');
});
