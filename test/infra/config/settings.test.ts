// Every setting of causeway.config.ts reaches the bridge, on AWS and on one machine, and every setting of the bridge's
// document is set by somebody. Made from the schemas: a new setting is tested by itself.
import { isDeepStrictEqual } from 'node:util';
import { pino } from 'pino';
import { beforeAll, expect, test } from 'vitest';
import { bridgeConfigSchema, parseConfig } from '../../../bridge/config/config.ts';
import { awsBridgeDocument } from '../../../infra/aws/bridge-document.ts';
import {
  type CausewayConfig,
  deploymentSchema,
  parseDeployment,
} from '../../../infra/config/config.ts';
import { localBridgeDocument } from '../../../infra/local/bridge-document.ts';
import { chooseBroker } from '../../../infra/local/chosen-broker.ts';
import { parseSettings } from '../../../infra/local/settings.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { localWiring } from '../local/local-wiring.ts';
import { fieldsOf, samplesOf, valueAt, withValue } from './schema-fields.ts';

/** What of a deployment is not in the bridge's document; where traces go is in its environment. */
const notOfBridge =
  /^(presence|api|ingest|push|table|logRetentionDays|alarms|deletionProtection|stackName|tags|bridge\.(cpu|traces|tasks|scaling|spot|natGateway|vpcId)|broker\.allowPlainText|routes\.0\.(retentionDays|storage|handler\.functionArn))(\.|$)/;

/** What of the bridge's document a deployment does not set: its parts' addresses, what stays at its default, secrets. */
const notOfDeployment =
  /^(http|quarantineTable|quarantineFolder|commandTable|replayTable|leaseTable|leaseSeconds|drainTimeoutMs|commands|replays\.pollSeconds|endSessionsAfterSeconds|broker\.(username|password|caFile|certificateFile|keyFile|onenet\.(key|deviceKeys|apiKey|authInfo))|alerts\.(secret|bearerToken)|routes\.0\.(ingest|secret|bearerToken|basic))(\.|$)/;

/** Where the bridge's document has what a deployment says. */
function pathInDocument(path: string): string {
  const moved: Record<string, string> = {
    retentionDays: 'traceRetentionDays',
    writeShards: 'replays.writeShards',
    'bridge.memoryMiB': 'memoryMiB',
  };
  return moved[path] ?? path.replace(/^routes\.0\.handler\./, 'routes.0.');
}

const handler = { url: 'https://hooks.example.com', secretName: 'hooks' };
const functionArn = 'arn:aws:lambda:eu-west-1:123456789012:function:orders';
const broker = { url: 'mqtts://broker.example.com' };
const route = { name: 'hook', filter: 'hook/#', handler };
const onenet = { url: 'mqtts://onenet.example.com', profile: 'onenet' };

/** Deployments of which each setting goes with one. For a setting that goes with none, add one here. */
const deployments: readonly object[] = [
  { broker, routes: [route] },
  {
    broker: { url: 'wss://abc-ats.iot.eu-west-1.amazonaws.com/mqtt', auth: 'aws-iam' },
    routes: [route],
  },
  { broker: { url: 'wss://abc-ats.iot.eu-west-1.amazonaws.com/mqtt' }, routes: [route] },
  { broker, routes: [{ ...route, handler: { url: handler.url, functionArn } }] },
  { broker, routes: [route], alerts: { url: 'https://ops.example.com', secretName: 'alerts' } },
  {
    broker: { ...onenet, onenet: { platform: 'token', productId: '1', keySecret: 'key' } },
    routes: [{ ...route, filter: '$sys/1/d/#' }],
  },
  {
    broker: { ...onenet, onenet: { platform: 'device', productId: '1', apiKeySecret: 'key' } },
    routes: [{ ...route, filter: '$sys/1/d/#' }],
  },
];

interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly config: CausewayConfig;
}

/** A deployment with the setting at a value that is not its default. */
function settingsAt(field: ReturnType<typeof fieldsOf>[number]): Setting[] {
  const { path } = field;
  for (const value of samplesOf(field)) {
    for (const deployment of deployments) {
      const config = parseDeployment(withValue(deployment, path, value));
      if (config.ok) return [{ path, value: valueAt(config.value, path), config: config.value }];
    }
  }
  return [];
}

const fields = fieldsOf(deploymentSchema).filter(({ path }) => !notOfBridge.test(path));
const settings = fields.flatMap(settingsAt);

type DocumentOf = (config: CausewayConfig) => object | Promise<object>;

const onAws: DocumentOf = (config) =>
  awsBridgeDocument(config, {
    tableName: 'messages',
    ingestUrl: 'https://abc.lambda-url.eu-central-1.on.aws/',
  });

let folder = '';
beforeAll(() => {
  folder = temporaryFolder('settings');
});

const onOneMachine: DocumentOf = async (config) => {
  const chosen = parseSettings({ USE_CONFIG_BROKER: 'true', DATA_DIR: folder });
  if (!chosen.ok) throw new Error(JSON.stringify(chosen.faults));
  const { document } = await chooseBroker(chosen.value, config.broker, pino({ level: 'silent' }));
  return localBridgeDocument(config, {
    ...localWiring,
    broker: document,
    isEmbedded: false,
    webhooks: true,
  });
};

/** Whether the bridge that gets the document as JSON runs with the setting. */
function hasSetting(document: object, { path, value }: Setting): boolean {
  const config = parseConfig(JSON.parse(JSON.stringify(document)));
  return config.ok && isDeepStrictEqual(valueAt(config.value, pathInDocument(path)), value);
}

async function missingIn(documentOf: DocumentOf): Promise<string[]> {
  const missing: string[] = [];
  for (const setting of settings)
    if (!hasSetting(await documentOf(setting.config), setting)) missing.push(setting.path);
  return missing;
}

test('for each setting there is a value that is not its default, in a deployment that is right', () => {
  const paths = new Set(settings.map(({ path }) => path));
  expect(fields.filter(({ path }) => !paths.has(path)).map(({ path }) => path)).toEqual([]);
  expect(paths.size).toBeGreaterThan(60);
});

test('on AWS the bridge has every setting', async () => {
  expect(await missingIn(onAws)).toEqual([]);
});

test("on one machine it has every setting but for the client ids, which are the deployed bridge's", async () => {
  expect(await missingIn(onOneMachine)).toEqual(['broker.clientIdPrefix', 'broker.clientIds']);
});

test('a setting that is left out of the document is found to be missing, each one', async () => {
  const unnoticed = await Promise.all(
    settings.map(async (setting) => {
      const document = await onAws(setting.config);
      const without = withValue(document, pathInDocument(setting.path), undefined);
      return hasSetting(without, setting) ? [setting.path] : [];
    }),
  );
  expect(unnoticed.flat()).toEqual([]);
});

test("each setting of the bridge's document is one of a deployment, or known to be none", () => {
  const deployed = new Set(fields.map(({ path }) => pathInDocument(path)));
  const others = fieldsOf(bridgeConfigSchema)
    .map(({ path }) => path)
    .filter((path) => !deployed.has(path));
  expect(others.filter((path) => !notOfDeployment.test(path))).toEqual([]);
});
