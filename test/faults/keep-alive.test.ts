// Keep-alive under back-pressure: whatever the handler does, the broker hears from the bridge in time, and the bridge
// takes what comes for life. No connection is lost.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import type { BridgeProcess } from './rig/bridge-process.ts';
import { rowTimeoutMs, scaled, scaledMs } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `the keep-alive ${hasMosquitto ? '' : needsMosquitto}`.trim();

const lostConnections = ({ log }: BridgeProcess) =>
  log.filter((line) => line.includes('not connected to the broker'));

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test('the broker allows less than was asked for, and the handler answers 503', async () => {
    const rig = await startRig({
      row: 'max_keepalive 10, handler 503',
      brokerSettings: ['max_keepalive 10'],
      broker: { keepaliveSeconds: 120 },
      // Full by its bytes before the broker's window is: reading is stopped.
      route: { maxWindowBytes: 1_048_576 },
    });
    rig.handler.fault = ({ response }) => void response.writeHead(503).end();
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const content = () => 'x'.repeat(10_000);
    await rig.publisher.publish({ count: scaled(400), perSecond: 2000, content });
    // mosquitto closes after one and a half keep-alives.
    await delay(scaledMs(35_000));
    rig.handler.fault = undefined;
    await rig.settled();
    expect((await rig.verdict([bridge])).faults).toEqual([]);
    expect(lostConnections(bridge)).toEqual([]);
  });

  test('images, whose queue is longer than a keep-alive', async () => {
    const rig = await startRig({
      row: 'images, handler of 1 s',
      broker: { keepaliveSeconds: 5 },
      route: { maxWindowBytes: 1_500_000 },
    });
    rig.handler.fault = async ({ pass }) => {
      await delay(1000);
      await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const image = Buffer.alloc(150_000, 0xf5);
    await rig.publisher.publish({ count: scaled(200), perSecond: 100, content: () => image });
    await rig.settled();
    expect((await rig.verdict([bridge])).faults).toEqual([]);
    expect(lostConnections(bridge)).toEqual([]);
  });

  test('a backlog before which every PINGRESP waits', async () => {
    const rig = await startRig({
      row: 'backlog, slow',
      brokerSettings: ['max_queued_messages 0'],
      broker: { keepaliveSeconds: 5 },
      // The broker sends 20,000 at once; they are read as the handler takes them.
      route: { window: 20_000, maxWindowBytes: 1_048_576, maxBatch: 500, concurrency: 2 },
    });
    const first = rig.startBridge();
    await first.untilReady();
    await first.stop();
    const count = scaled(20_000);
    await rig.publisher.publish({ count, perSecond: 10_000, content: () => 'x'.repeat(200) });
    rig.handler.fault = async ({ pass }) => {
      await delay(700);
      await pass();
    };
    const bridge = rig.startBridge();
    await until(() => rig.storedNumbers.size === count, { timeoutMs: scaledMs(90_000) });
    expect((await rig.verdict([bridge])).faults).toEqual([]);
    expect(lostConnections(bridge)).toEqual([]);
  });
});
