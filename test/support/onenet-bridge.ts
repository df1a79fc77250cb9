// A bridge on a OneNET of a test's own, and a user's device there.
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Secrets } from '../../bridge/base/secrets.ts';
import { type Bridge, startBridge } from '../../bridge/bridge.ts';
import { type BridgeConfigInput, parseConfig } from '../../bridge/config/config.ts';
import { oneNetToken, tokenResource } from '../../bridge/connection/onenet-token.ts';
import { temporaryFolder } from './brokers.ts';
import { startHandler, type TestHandler } from './handler.ts';
import { type OneNetBroker, startOneNetBroker } from './onenet-broker.ts';
import type { OneNetPlatform } from './onenet-rules.ts';
import type { TestTable } from './table.ts';
import { until } from './wait.ts';

export const productId = 'Ck2AF9QD2K';
export const productKey = Buffer.from('the key of the product').toString('base64');
export const deviceKey = (name: string) => Buffer.from(`the key of ${name}`).toString('base64');
export const bridgeToken = 'a-token-of-the-bridge';

/** A platform with tokens, on which the bridge's devices may use the topics of `lamp`, a user's device. */
export const tokenPlatform = (more: Partial<OneNetPlatform> = {}): OneNetPlatform => ({
  platform: 'token',
  productId,
  productKey,
  devices: Object.fromEntries(
    ['lamp', 'causeway-store-0', 'causeway-commands'].map((name) => [name, deviceKey(name)]),
  ),
  backEnds: ['causeway-store-0', 'causeway-commands'],
  ...more,
});

/** An older platform with ids, for which the bridge needs {@link olderClientIds}. */
export const olderPlatform: OneNetPlatform = {
  platform: 'device',
  productId: '123123',
  productKey: 'an-api-key=',
  devices: { '1001': 'sn-store', '1002': 'sn-commands', '1003': 'sn-lamp' },
};
export const olderClientIds = { 'store-0': '1001', commands: '1002' };

export async function startPlatform(platform: OneNetPlatform): Promise<OneNetBroker> {
  const broker = await startOneNetBroker(platform);
  onTestFinished(() => broker.close());
  return broker;
}

export interface Started {
  readonly bridge: Bridge;
  readonly handler: TestHandler;
  /** What the bridge logs. */
  readonly lines: string[];
}

export interface StartOptions {
  readonly table: TestTable;
  readonly filter?: string;
  readonly secrets?: Secrets;
}

export async function startOn(
  broker: OneNetBroker,
  settings: Omit<BridgeConfigInput['broker'], 'url' | 'profile'>,
  { table, filter = `$sys/${productId}/+/dp/post/json`, secrets }: StartOptions,
): Promise<Started> {
  const handler = await startHandler();
  const config = parseConfig({
    broker: { url: broker.url, profile: 'onenet', ...settings },
    http: { port: 0, token: bridgeToken },
    routes: [{ name: 'store', filter, url: handler.url, allowPrivate: true }],
    quarantineTable: table.tableName,
    // For the session ledger.
    quarantineFolder: temporaryFolder('onenet'),
    commandTable: table.tableName,
    commands: { pollSeconds: 1 },
    drainTimeoutMs: 2000,
  });
  if (!config.ok) throw new Error(JSON.stringify(config.faults));
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const bridge = await startBridge(config.value, log, {
    database: table.client,
    secretStore: secrets,
  });
  onTestFinished(async () => {
    await bridge.drain();
    await handler.close();
  });
  return { bridge, handler, lines };
}

export async function untilReady({ bridge }: Started): Promise<void> {
  await until(() => bridge.status().ready, { what: 'the bridge is ready' });
}

/** A device of a user's, on the library. */
export async function connectDevice(
  broker: OneNetBroker,
  options: IClientOptions,
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(broker.url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    clean: true,
    ...options,
  });
  onTestFinished(() => client.endAsync(true));
  return client;
}

/** What `lamp` shows on {@link tokenPlatform}. */
export const lamp = (): IClientOptions => ({
  clientId: 'lamp',
  username: productId,
  password: oneNetToken({
    resource: tokenResource(productId, 'lamp'),
    expiresAtSeconds: Math.floor(Date.now() / 1000) + 600,
    method: 'sha1',
    key: deviceKey('lamp'),
  }),
});

/** What the device of {@link olderPlatform} shows. */
export const olderLamp: IClientOptions = {
  clientId: '1003',
  username: '123123',
  password: 'sn-lamp',
};
