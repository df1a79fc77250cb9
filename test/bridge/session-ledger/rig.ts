// One ledger, one broker, one handler, and the bridges that follow each other with other configs.
import mqtt from 'mqtt';
import { onTestFinished } from 'vitest';
import type { Bridge } from '../../../bridge/bridge.ts';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import {
  hasMosquitto,
  needsMosquitto,
  startEmbedded,
  startMosquitto,
  temporaryFolder,
} from '../../support/brokers.ts';
import { startHandler } from '../../support/handler.ts';
import { until } from '../../support/wait.ts';

/** With the version of MQTT that the bridge speaks. */
export const brokers = [
  { name: 'the embedded broker, MQTT 3.1.1', version: 4 as const, start: startEmbedded },
  ...([4, 5] as const).map((version) => ({
    name: `mosquitto, MQTT ${version === 4 ? '3.1.1' : '5'} ${hasMosquitto ? '' : needsMosquitto}`.trim(),
    version,
    start: () => startMosquitto(),
  })),
].filter(({ name }) => hasMosquitto || !name.startsWith('mosquitto'));

export const withShared = brokers.filter(({ name }) => name.startsWith('mosquitto'));

export async function startLedgerRig({ version, start }: (typeof brokers)[number]) {
  const broker = await start();
  onTestFinished(() => broker.stop());
  const handler = await startHandler();
  onTestFinished(() => handler.close());
  const quarantineFolder = temporaryFolder('ledger');
  const device = await mqtt.connectAsync(broker.url);
  onTestFinished(() => device.endAsync(true));
  return {
    broker,
    handler,
    device,
    quarantineFolder,
    /** Starts a bridge, and waits until it is ready. */
    async start(input: Partial<Parameters<typeof startTestBridge>[0]> = {}): Promise<Bridge> {
      const bridge = await startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: handler.url,
        quarantineFolder,
        ...input,
        broker: { protocolVersion: version, ...input.broker },
      });
      await untilReady(bridge);
      return bridge;
    },
    /** Publishes texts to a topic at QoS 1. */
    async publish(topic: string, ...texts: readonly string[]): Promise<void> {
      for (const text of texts) await device.publishAsync(topic, text, { qos: 1 });
    },
    /** What the handler has, once it has as much as `texts`; in order of text. */
    async stored(count: number): Promise<string[]> {
      await until(() => handler.stored.length >= count, { what: `${count} messages` });
      return handler.stored.map(({ data }) => String(data)).sort();
    },
  };
}
