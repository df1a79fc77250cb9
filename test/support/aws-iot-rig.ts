// The rig of the tests at AWS IoT Core: its broker, a handler, a table, credentials, and bridges that use them.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Bridge } from '../../bridge/bridge.ts';
import type { Outcome, WaitFor } from '../../functions/contract/command.ts';
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import { type AwsIotBroker, startAwsIotBroker, testRegion } from './aws-iot-broker.ts';
import { type CredentialsEndpoint, startCredentialsEndpoint } from './aws-iot-credentials.ts';
import { type BridgeInput, startTestBridge, untilReady } from './bridges.ts';
import { startHandler, type TestHandler } from './handler.ts';
import { record } from './queue.ts';
import { startTable, type TestTable } from './table.ts';
import { until } from './wait.ts';

const token = 'token-of-the-bridge';

/** A way in. */
export interface Way {
  readonly name: string;
  broker(broker: AwsIotBroker): Partial<NonNullable<BridgeInput['broker']>> & {
    readonly url: string;
  };
}

export const certificate: Way = {
  name: 'a client certificate',
  broker: ({ mqttsUrl, caFile, certificateFile, keyFile }) => ({
    url: mqttsUrl,
    caFile,
    certificateFile,
    keyFile,
    // The port is not 443, where the profile names it by itself.
    alpnProtocols: ['x-amzn-mqtt-ca'],
  }),
};

export const signature: Way = {
  name: 'a signed WebSocket URL',
  broker: ({ wssUrl, caFile }) => ({
    url: wssUrl,
    caFile,
    auth: 'aws-iam',
    region: testRegion,
  }),
};

export interface AwsIotRig {
  broker: AwsIotBroker;
  handler: TestHandler;
  table: TestTable;
  endpoint: CredentialsEndpoint;
  /** Client ids of the next bridge begin with it. */
  prefix: string;
  start(way: Way, input?: Partial<Omit<BridgeInput, 'brokerUrl'>>): Promise<Bridge>;
  /** Sends commands that are recorded without the api, and so unchecked. */
  send(bridge: Bridge, commands: readonly QueuedCommand[], waitFor?: WaitFor): Promise<Outcome[]>;
}

/** One for a test file; broker and handler are new for each test. */
export function awsIotRig(): AwsIotRig {
  let count = 0;
  const rig = {
    async start(way, { broker: more, ...input } = {}) {
      const { url, ...settings } = way.broker(rig.broker);
      const bridge = await startTestBridge({
        brokerUrl: url,
        handlerUrl: rig.handler.url,
        route: { filter: 'up/#' },
        token,
        table: rig.table,
        ...input,
        broker: { profile: 'aws-iot', clientIdPrefix: rig.prefix, ...settings, ...more },
      });
      // Without the lease yet it is a standby, and ready as such.
      const clientId = `${rig.prefix}-store-0`;
      await until(() => rig.broker.sessions.get(clientId)?.subscriptions.size === 1);
      await untilReady(bridge);
      return bridge;
    },
    async send(bridge, commands, waitFor = 'broker') {
      await record(rig.table, ...commands);
      const ask = async () => {
        const response = await fetch(`${bridge.url}/deliver`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({
            commands: commands.map(({ id }) => ({ id, waitFor })),
            timeoutMs: 10_000,
          }),
        });
        // A bridge that has not got the lease yet says 503.
        if (!response.ok) return undefined;
        const { outcomes } = (await response.json()) as { outcomes: Outcome[] };
        const isOpen = outcomes.some(({ status }) => status === 'pending');
        return isOpen && waitFor !== 'none' ? undefined : outcomes;
      };
      return until(ask, { what: 'the commands are sent' });
    },
  } as AwsIotRig;

  beforeAll(async () => {
    rig.endpoint = await startCredentialsEndpoint((credentials) => {
      rig.broker.credentials.push(credentials);
    });
    rig.table = await startTable();
  });
  afterAll(async () => {
    rig.endpoint.close();
    await rig.table.close();
  });
  beforeEach(async () => {
    rig.broker = await startAwsIotBroker();
    rig.handler = await startHandler();
    rig.prefix = `bridge${++count}`;
  });
  afterEach(async () => {
    await rig.broker.close();
    await rig.handler.close();
  });
  return rig;
}
