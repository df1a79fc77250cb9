// An embedded broker for one test and clients of it; all are closed after the test, the last one first.
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import {
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  startBroker,
} from '../../../infra/broker/broker.ts';
import { temporaryFolder } from '../../support/brokers.ts';

/** Has something closed after the test. */
export function closeAfterTest(close: () => unknown): void {
  onTestFinished(async () => {
    await close();
  });
}

export async function start(options: Partial<EmbeddedBrokerOptions> = {}): Promise<EmbeddedBroker> {
  const broker = await startBroker({ port: 0, folder: temporaryFolder('broker'), ...options });
  closeAfterTest(() => broker.close());
  return broker;
}

export async function connect(
  broker: EmbeddedBroker,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
    reconnectPeriod: 0,
    ...options,
  });
  closeAfterTest(() => client.end(true));
  client.on('error', () => {});
  return client;
}
