// Commands to OneNET's topics, from the REST call to the device's answer and back, over the real api and bridge.
import type { MqttClient } from 'mqtt';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { onenet } from '../../bridge/config/profiles/onenet.ts';
import { createDeliver } from '../../functions/api/bridge-client/bridge-client.ts';
import { oneBridge } from '../../functions/api/bridge-client/bridges.ts';
import { publishEndpoints } from '../../functions/api/commands/publish.ts';
import { createCommands } from '../../functions/api/commands/service.ts';
import { call } from '../support/endpoints.ts';
import {
  bridgeToken,
  connectDevice,
  lamp,
  olderClientIds,
  olderLamp,
  olderPlatform,
  productId,
  productKey,
  type Started,
  startOn,
  startPlatform,
  tokenPlatform,
  untilReady,
} from '../support/onenet-bridge.ts';
import type { OneNetBroker } from '../support/onenet-broker.ts';
import { principal } from '../support/principals.ts';
import { inLedger } from '../support/queue.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { until } from '../support/wait.ts';

let table: TestTable;
beforeEach(async () => {
  // Each platform has its own: what is awaited in a table is listened for by every bridge on it.
  const opened = await startTable();
  table = opened;
  // After the bridges of the test, which still write.
  onTestFinished(() => opened.close());
});

const caller = principal('onenet', { publish: `$sys/${productId}/lamp/#` });

async function publish({ bridge }: Started, body: object, by = caller) {
  const { client, tableName } = table;
  const deliver = createDeliver({
    bridges: oneBridge({ url: bridge.url, token: bridgeToken }),
  });
  const brokerRules = onenet.rules;
  const endpoints = publishEndpoints(createCommands({ client, tableName, deliver, brokerRules }));
  return call(endpoints, by, '/v1/publish', { method: 'POST', body });
}

async function startTokens(): Promise<{
  broker: OneNetBroker;
  started: Started;
  device: MqttClient;
}> {
  const broker = await startPlatform(tokenPlatform());
  const settings = { platform: 'token', productId, key: productKey } as const;
  const started = await startOn(broker, { onenet: settings, cleanSession: true }, { table });
  await untilReady(started);
  return { broker, started, device: await connectDevice(broker, lamp()) };
}

/** Lets the device answer what comes on `filter`. */
async function answering(
  device: MqttClient,
  filter: string,
  answer: (topic: string, payload: string) => void,
): Promise<void> {
  await device.subscribeAsync(filter);
  device.on('message', (topic, payload) => answer(topic, payload.toString()));
}

const own = `$sys/${productId}/lamp`;

test('a command needs no response topic: the platform has one for it', async () => {
  const { broker, started, device } = await startTokens();
  await answering(device, `${own}/cmd/request/+`, (topic, payload) =>
    device.publish(topic.replace('/request/', '/response/'), `done: ${payload}`),
  );
  const body = { topic: `${own}/cmd/request/{commandId}`, payload: { on: true }, waitFor: 'reply' };
  const answer = await publish(started, body);
  expect(answer).toMatchObject({
    status: 200,
    body: {
      status: 'answered',
      reply: {
        topic: `${own}/cmd/response/${answer.body.id}`,
        payload: 'done: {"on":true}',
      },
    },
  });
  expect(broker.violations).toEqual([]);
});

test('a right on another device, and what the platform does not take, refuse it before it is recorded', async () => {
  const { started } = await startTokens();
  const topic = `${own}/cmd/request/{commandId}`;
  const other = principal('other', { publish: `$sys/${productId}/door/#` });
  expect(await publish(started, { topic, payload: 1 }, other)).toMatchObject({ status: 403 });
  const all = principal('all', { publish: '$sys/#' });
  for (const [body, field] of [
    [{ topic, payload: 1, qos: 2 }, 'qos'],
    [{ topic, payload: 1, retain: true }, 'retain'],
    [{ topic: `${topic}/a/b/c`, payload: 1 }, 'topic'],
    [{ topic, payload: 'x'.repeat(256 * 1024 + 1) }, 'payload'],
  ] as const) {
    const answer = await publish(started, body, all);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ field }]);
  }
});

describe('on the one topic for the replies of a device, the id in the JSON says whose it is', () => {
  const set = (id: unknown, more: object = {}) => ({
    topic: `${own}/thing/property/set`,
    payload: { id, version: '1.0', params: { on: true } },
    waitFor: 'reply',
    timeoutSeconds: 2,
    ...more,
  });
  const replyTopic = `${own}/thing/property/set_reply`;
  const reply = (id: unknown) => JSON.stringify({ id, code: 200, msg: 'success' });

  test('whatever order the answers come in', async () => {
    const { started, device } = await startTokens();
    const seen: string[] = [];
    await answering(device, `${own}/thing/property/set`, (_, payload) => {
      seen.push(JSON.parse(payload).id);
      if (seen.length === 2)
        for (const id of seen.toReversed()) device.publish(replyTopic, reply(id));
    });
    const answers = await Promise.all([publish(started, set('1')), publish(started, set('2'))]);
    expect(answers.map(({ body }) => body.reply?.payload.id)).toEqual(['1', '2']);
  });

  test("a wrong id, none and doubled answers are nobody's; a late one is kept with its command", async () => {
    const { started, device } = await startTokens();
    let late = () => {};
    await answering(device, `${own}/thing/property/set`, (_, payload) => {
      const { id } = JSON.parse(payload);
      if (id === '30') {
        late = () => device.publish(replyTopic, reply('30'));
        for (const text of [reply('31'), reply(30), reply('030'), '{}', 'no JSON', '["30"]', ''])
          device.publish(replyTopic, text);
      } else if (id === '40') {
        // The first is the answer; the second must not answer the next one.
        device.publish(replyTopic, reply('40'));
        device.publish(replyTopic, reply('40'));
      }
    });
    const wrong = await publish(started, set('30', { expirySeconds: 60 }));
    expect(wrong).toMatchObject({ status: 202, body: { status: 'sent' } });
    const doubled = await publish(started, set('40'));
    expect(doubled.body).toMatchObject({ status: 'answered', reply: { payload: { id: '40' } } });
    const next = await publish(started, set('50', { timeoutSeconds: 1 }));
    expect(next).toMatchObject({ status: 202, body: { status: 'sent' } });
    const dropped = async () => {
      const text = await (await fetch(`${started.bridge.url}/metrics`)).text();
      return Number(/replies.*\{reason="dropped"\} (\d+)/.exec(text)?.[1]);
    };
    await until(async () => (await dropped()) === 8);
    late();
    await until(async () => (await inLedger(table, wrong.body.id)).status === 'answered');
  });

  test.each([
    ['no id', { params: {} }],
    ['an id that is a number', { id: 1 }],
    ['an id of 14 digits', { id: '12345678901234' }],
    ['an id with letters', { id: 'a1' }],
    ['a list', [1]],
    ['text', 'on'],
  ])('a request without one that can be known is refused: %s', async (_, payload) => {
    const { started } = await startTokens();
    const answer = await publish(started, { ...set('1'), payload });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ field: 'payload' }]);
  });

  test('an id that another command waits with is refused by the bridge', async () => {
    const { started } = await startTokens();
    const first = publish(started, set('60'));
    await until(
      async () => (await publish(started, set('60', { timeoutSeconds: 1 }))).status === 502,
    );
    expect((await first).status).toBe(202);
  });
});

test('on the older platform, topics are the own of the product', async () => {
  const broker = await startPlatform(olderPlatform);
  const settings = { platform: 'device', productId: '123123', apiKey: 'an-api-key=' } as const;
  const started = await startOn(
    broker,
    { onenet: settings, clientIds: olderClientIds },
    { table, filter: 'rooms/#' },
  );
  await untilReady(started);
  const device = await connectDevice(broker, olderLamp);
  await answering(device, 'lamp/cmd/+', (topic) =>
    device.publish(topic.replace('/cmd/', '/reply/'), 'done', { qos: 1 }),
  );
  const answer = await publish(
    started,
    {
      topic: 'lamp/cmd/{commandId}',
      responseTopic: 'lamp/reply/{commandId}',
      payload: 'on',
      waitFor: 'reply',
    },
    principal('older', { publish: 'lamp/#' }),
  );
  expect(answer.body).toMatchObject({ status: 'answered', reply: { payload: 'done' } });
  expect(broker.violations).toEqual([]);
});
