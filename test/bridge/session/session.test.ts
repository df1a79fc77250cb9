// Sessions where the broker is not the usual one: it refuses, or shares a subscription.
import mqtt from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { topicRights } from '../../../infra/broker/access/topic-rights.ts';
import { startBroker } from '../../../infra/broker/broker.ts';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import {
  hasMosquitto,
  needsMosquitto,
  startMosquitto,
  temporaryFolder,
} from '../../support/brokers.ts';
import { startHandler } from '../../support/handler.ts';
import { until } from '../../support/wait.ts';

test('a refused subscription makes the route unhealthy, and says so', async () => {
  const nothing = { publish: [], subscribe: [] };
  const broker = await startBroker({
    port: 0,
    folder: temporaryFolder('refusing'),
    validator: ({ clientId }) => ({
      accepted: true,
      user: undefined,
      rights: topicRights(nothing, '', clientId),
    }),
  });
  onTestFinished(() => broker.close());
  const bridge = await startTestBridge({
    brokerUrl: `mqtt://127.0.0.1:${broker.port}`,
    handlerUrl: 'http://127.0.0.1:1',
  });
  await until(() => bridge.status().problems.some((line) => line.includes('subscription refused')));
  const ready = await fetch(`${bridge.url}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([
    503,
    { problems: [expect.stringMatching(/^route store: subscription refused: /)] },
  ]);
});

describe.skipIf(!hasMosquitto)(
  `with mosquitto ${hasMosquitto ? '' : needsMosquitto}`.trim(),
  () => {
    test('the connections of a route share its messages, and each comes once', async () => {
      const broker = await startMosquitto();
      onTestFinished(() => broker.stop());
      const handler = await startHandler();
      onTestFinished(() => handler.close());
      const bridge = await startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: handler.url,
        route: { connections: 3, filter: 'shared/#' },
      });
      await untilReady(bridge);
      const device = await mqtt.connectAsync(broker.url);
      onTestFinished(() => device.endAsync(true));
      await Promise.all(
        Array.from({ length: 300 }, (_, index) =>
          device.publishAsync(`shared/${index % 10}`, String(index), { qos: 1 }),
        ),
      );
      await until(() => handler.stored.length >= 300);
      expect(new Set(handler.stored.map(({ data }) => data)).size).toBe(300);
      expect(handler.stored).toHaveLength(300);
      expect(new Set(handler.stored.map((event) => event['source'])).size).toBe(3);
    });
  },
);
