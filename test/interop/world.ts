// One broker with everything around it: bridges, ingest, table and api, and devices at the broker.
import { readFileSync } from 'node:fs';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import { createIngest } from '../../functions/ingest/ingest.ts';
import { createStore, type Store } from '../../functions/ingest/storing/message-store.ts';
import { type FaultyHandler, startFaultyHandler } from '../faults/rig/handler.ts';
import { temporaryFolder } from '../support/brokers.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { apiOf, messagesOf, type StoredMessage } from './api.ts';
import { type BridgeOptions, type InteropBridge, startInteropBridge } from './bridge.ts';
import type { InteropBroker, RunningBroker } from './brokers/broker.ts';
import { type Certificate, makeCertificate } from './certificate.ts';

export interface World {
  readonly kind: InteropBroker;
  readonly broker: RunningBroker;
  readonly certificate: Certificate;
  readonly handler: FaultyHandler;
  readonly table: TestTable;
  /** Of what its bridges keep in files. */
  readonly folder: string;
  /** From now on the handler answers nothing until the function that this gives is called. */
  holdHandler(): () => void;
  startBridge(options: BridgeOptions): Promise<InteropBridge>;
  /** A client of the broker that ends with the test; its own session, without reconnects. */
  connectDevice(options?: IClientOptions): Promise<MqttClient>;
  /** The same over TLS. */
  connectSecureDevice(options?: IClientOptions): Promise<MqttClient>;
  /** Payloads that ingest has stored so far, as text: good for waiting, not for judging. */
  storedTexts(topic: string): ReadonlySet<string>;
  /** All messages of a topic as the api gives them, the oldest first. */
  messages(topic: string): Promise<StoredMessage[]>;
  close(): Promise<void>;
}

export async function startWorld(kind: InteropBroker): Promise<World> {
  const certificate = makeCertificate();
  const broker = await kind.start(certificate);
  const table = await startTable();
  const { client, tableName } = table;
  const stored = new Map<string, Set<string>>();
  const store = recordingTexts(createStore({ client, tableName, retentionDays: 1 }), stored);
  const handler = await startFaultyHandler(createIngest({ store, onError: console.error }));
  const api = apiOf(table);

  async function connect(url: string, options: IClientOptions = {}): Promise<MqttClient> {
    const device = await mqtt.connectAsync(url, {
      protocolVersion: kind.protocolVersion,
      reconnectPeriod: 0,
      ...options,
    });
    device.on('error', () => {});
    onTestFinished(() => device.endAsync(true));
    return device;
  }

  const world: World = {
    kind,
    broker,
    certificate,
    handler,
    table,
    folder: temporaryFolder('interop'),
    holdHandler() {
      let release: () => void = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      handler.fault = async ({ pass }) => {
        await released;
        await pass();
      };
      return release;
    },
    startBridge: (options) => startInteropBridge(world, options),
    connectDevice: (options) => connect(broker.url, options),
    connectSecureDevice: (options) =>
      connect(broker.tlsUrl, { ...options, ca: readFileSync(certificate.caFile) }),
    storedTexts: (topic) => stored.get(topic) ?? new Set(),
    messages: (topic) => messagesOf(api, topic),
    async close() {
      await handler.close();
      await broker.close();
      await table.close();
    },
  };
  return world;
}

/** The same store; notes the payloads that it has stored. */
function recordingTexts(store: Store, stored: Map<string, Set<string>>): Store {
  return {
    ...store,
    async put(messages, onDuplicates) {
      const failures = await store.put(messages, onDuplicates);
      const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
      for (const { id, topic, payload } of messages) {
        if (failed.has(id)) continue;
        const texts = stored.get(topic) ?? new Set();
        stored.set(topic, texts.add(Buffer.from(payload).toString()));
      }
      return failures;
    },
  };
}
