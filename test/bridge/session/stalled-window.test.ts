// A broker that sends no more before it has PUBACKs: the messages that are here do not wait for others.
import mqtt from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { hasMosquitto, needsMosquitto, startMosquitto } from '../../support/brokers.ts';
import { startHandler } from '../../support/handler.ts';
import { until } from '../../support/wait.ts';

const lingerMs = 250;
const count = 600;

describe.skipIf(!hasMosquitto)(
  `with mosquitto ${hasMosquitto ? '' : needsMosquitto}`.trim(),
  () => {
    test.each([
      ["the broker's own of 20, which MQTT 3.1.1 does not tell", { protocolVersion: 4 }, {}],
      ['ours of 20', {}, { window: 20 }],
    ] as const)('a window is full: %s', async (_, broker, route) => {
      const mosquitto = await startMosquitto({ settings: ['max_inflight_messages 20'] });
      onTestFinished(() => mosquitto.stop());
      const handler = await startHandler();
      onTestFinished(() => handler.close());
      const bridge = await startTestBridge({
        brokerUrl: mosquitto.url,
        handlerUrl: handler.url,
        broker,
        route: { lingerMs, ...route },
      });
      await untilReady(bridge);
      const device = await mqtt.connectAsync(mosquitto.url);
      onTestFinished(() => device.endAsync(true));
      const startedMs = performance.now();
      await Promise.all(
        Array.from({ length: count }, (__, index) =>
          device.publishAsync(`t/${index}`, 'on', { qos: 1 }),
        ),
      );
      await until(() => handler.stored.length >= count);
      const windows = count / 20;
      expect(performance.now() - startedMs).toBeLessThan((windows * lingerMs) / 2);
      expect(handler.stored).toHaveLength(count);
    });
  },
);
