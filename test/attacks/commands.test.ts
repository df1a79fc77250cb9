// A token that may publish to `evil/#` alone, and all that it can do to the commands of others: API, bridge and broker as
// they run together.
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import mqtt from 'mqtt';
import { v7 as uuidv7 } from 'uuid';
import { expect, onTestFinished } from 'vitest';
import { knownScopes, principalOf } from '../../functions/api/access/scopes.ts';
import { createApi } from '../../functions/api/api.ts';
import { oneBridge } from '../../functions/api/bridge-client/bridges.ts';
import { createEndpoints } from '../../functions/api/endpoints.ts';
import { anyBroker, type BrokerRules } from '../../functions/contract/broker-rules.ts';
import { awaitedReplyItems } from '../../functions/table/awaited-reply.ts';
import { callerDigest, commandId } from '../../functions/table/command-id.ts';
import { startBroker } from '../../infra/broker/broker.ts';
import { startTestBridge } from '../support/bridges.ts';
import {
  hasMosquitto,
  startMosquitto,
  type TestBroker,
  temporaryFolder,
} from '../support/brokers.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { until } from '../support/wait.ts';
import { attack, slowdown, slowdownText } from './attack.ts';

const bridgeToken = 'a token of the bridge';
const scopes: Readonly<Record<string, string>> = { evil: 'publish:evil/#', good: 'publish:good/#' };

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the attacks look at any part of an answer
  readonly body: any;
}

interface Stack {
  readonly table: TestTable;
  readonly broker: TestBroker;
  post(token: 'evil' | 'good', path: string, body: object): Promise<Answer>;
  /** A command of the honest caller, of whom it fails where it is not answered with 200. */
  honest(body?: object): Promise<void>;
}

async function startEmbedded(limits: object = {}): Promise<TestBroker> {
  const folder = temporaryFolder('attacks');
  const broker = await startBroker({ host: '127.0.0.1', port: 0, folder, limits });
  return { url: `mqtt://127.0.0.1:${broker.port}`, port: broker.port, stop: () => broker.close() };
}

async function start(
  broker: TestBroker,
  brokerRules: BrokerRules,
  protocolVersion: 4 | 5,
  prepare?: (table: TestTable) => Promise<void>,
): Promise<Stack> {
  onTestFinished(() => broker.stop());
  const table = await startTable();
  onTestFinished(() => table.close());
  await prepare?.(table);
  const bridge = await startTestBridge({
    brokerUrl: broker.url,
    handlerUrl: 'http://127.0.0.1:9/',
    route: { filter: 'nothing/here' },
    broker: { protocolVersion },
    token: bridgeToken,
    table,
    leaseSeconds: 60,
    brokerRules,
  });
  await until(() => bridge.status().ready);
  const { client, tableName } = table;
  const app = createApi({
    endpoints: createEndpoints({
      client,
      tableName,
      writeShards: 1,
      bridge: { bridges: oneBridge({ url: bridge.url, token: bridgeToken }) },
      cursorSecret: 'a secret of the attacks',
      live: { streams: true, checkMs: 250 },
      brokerRules,
      onError: () => {},
    }),
    authenticate: async (token) => principalOf(token, knownScopes([scopes[token] ?? ''])),
    rateLimit: { requestsPerSecond: 10_000 },
  });
  const stack: Stack = {
    table,
    broker,
    async post(token, path, body) {
      const response = await app.request(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    },
    async honest(body = {}) {
      const command = { topic: 'good/lamp', payload: 'on', timeoutSeconds: 20, ...body };
      expect((await stack.post('good', '/v1/publish', command)).status).toBe(200);
    },
  };
  return stack;
}

const bulk = (count: number, command: (index: number) => object) =>
  Array.from({ length: count }, (_, index) => ({ payload: 'x', ...command(index) }));
const levels = (count: number, index: number) =>
  `evil/${index}/${Array(count - 2)
    .fill('a')
    .join('/')}`;
/** A device that answers every question below `good/ask`. */
async function answeringDevice({ broker }: Stack): Promise<void> {
  const device = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
  onTestFinished(() => device.endAsync(true));
  device.on('message', (topic) => device.publish(topic.replace('/ask/', '/reply/'), '21'));
  await device.subscribeAsync('good/ask/+', { qos: 1 });
}
const question = {
  topic: 'good/ask/{commandId}',
  responseTopic: 'good/reply/{commandId}',
  waitFor: 'reply',
};

attack('100 commands of 42 levels, where the embedded broker takes 32', async () => {
  const rules = { ...anyBroker, maxTopicLevels: 32, responseTopics: false };
  const stack = await start(await startEmbedded(), rules, 4);
  let refused: Answer | undefined;
  const slower = await slowdown(
    () => stack.honest(),
    async () => {
      const commands = bulk(100, (index) => ({ topic: levels(42, index) }));
      refused = await stack.post('evil', '/v1/publish/bulk', commands);
    },
    30,
  );
  const statuses = refused?.body.results.map(({ status }: { status: number }) => status);
  expect(new Set(statuses)).toEqual(new Set([400]));
  expect(slower.ratio).toBeLessThan(20);
  return `400 for each, nothing recorded; ${slowdownText(slower)}`;
});

for (const { name, isAvailable, open, count, version } of [
  { name: 'embedded', isAvailable: true, open: () => startEmbedded(), count: 42, version: 4 },
  { name: 'mosquitto', isAvailable: hasMosquitto, open: startMosquitto, count: 232, version: 5 },
] as const)
  if (isAvailable)
    attack(
      `100 commands on which the broker (${name}) closes, by a rule of its own that nobody knows`,
      async () => {
        const rules = { ...anyBroker, maxTopicLevels: 1000 };
        const stack = await start(await open(), rules, version);
        let attacked: Promise<Answer> | undefined;
        const slower = await slowdown(
          () => stack.honest(),
          async () => {
            const commands = bulk(100, (index) => ({
              topic: levels(count, index),
              timeoutSeconds: 25,
            }));
            attacked = stack.post('evil', '/v1/publish/bulk', commands);
            await new Promise((resolve) => setTimeout(resolve, 300));
          },
          40,
        );
        // Before, the back-off grew to 30 s: time-outs after 20 s.
        expect(slower.duringMs).toBeLessThan(8000);
        const statuses = (await attacked)?.body.results.map(
          ({ status }: { status: number }) => status,
        );
        expect(statuses).not.toContain(200);
        const given = statuses.filter((status: number) => status === 502).length;
        return `refused one by one where nobody waits, ${given} within 25 s; ${slowdownText(slower)}`;
      },
      120_000,
    );

attack(
  '160 questions with response topics of their own, where the broker takes 80 subscriptions',
  async () => {
    const rules = { ...anyBroker, responseTopics: false };
    const stack = await start(await startEmbedded({ maxSubscriptions: 80 }), rules, 4);
    await answeringDevice(stack);
    await stack.honest(question);
    let attacked: Promise<unknown> | undefined;
    const slower = await slowdown(
      () => stack.honest(question),
      async () => {
        const commands = (from: number) =>
          bulk(80, (index) => ({
            topic: `evil/${from + index}`,
            responseTopic: `evil/${from + index}/{commandId}/reply`,
            waitFor: 'reply',
            timeoutSeconds: 5,
          }));
        attacked = Promise.all(
          [0, 80].map((from) => stack.post('evil', '/v1/publish/bulk', commands(from))),
        );
        await new Promise((resolve) => setTimeout(resolve, 300));
      },
      30,
    );
    await attacked;
    // Before, each refusal took 10 s, and the connection with it.
    expect(slower.duringMs).toBeLessThan(8000);
    await stack.honest({ ...question, topic: 'good/ask/{commandId}' });
    return `the broker's refusals are recognized, and fail alone; ${slowdownText(slower)}`;
  },
  120_000,
);

attack(
  '6,000 questions that no device answers, from before the bridge starts',
  async () => {
    const rules = { ...anyBroker, responseTopics: false };
    const caller = callerDigest('evil');
    const stack = await start(await startEmbedded(), rules, 4, async (table) => {
      const items = Array.from({ length: 6000 }, (_, index) => {
        const topic = `evil/${index}`;
        const id = commandId(uuidv7(), topic);
        const responseTopic = `evil/reply/${id}`;
        const deadline = new Date(Date.now() + 30 * 86_400_000).toISOString();
        return awaitedReplyItems({
          id,
          topic,
          caller,
          deadline,
          payload: Buffer.from('x'),
          qos: 1,
          retain: false,
          expiresAtBroker: true,
          awaitsReply: true,
          properties: { responseTopic, correlationData: Buffer.from(id) },
        })[0];
      });
      for (let from = 0; from < items.length; from += 25) {
        const puts = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
        await table.client.send(
          new BatchWriteItemCommand({ RequestItems: { [table.tableName]: puts } }),
        );
      }
    });
    await answeringDevice(stack);
    for (let count = 0; count < 20; count++) await stack.honest(question);
    return 'others have their answers all the same: one caller holds at most half of 10,000';
  },
  120_000,
);
