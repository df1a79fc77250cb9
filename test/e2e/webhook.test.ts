// From a device to somebody's own endpoint: a real broker, the bridge, and a consumer with nothing of ours.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import mqtt, { type MqttClient } from 'mqtt';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestBridge, untilReady } from '../support/bridges.ts';
import { brokers, type TestBroker } from '../support/brokers.ts';
import { type Consumed, type Consumer, startConsumer } from '../support/consumer.ts';
import { startTable, type TestTable } from '../support/table.ts';
import { until } from '../support/wait.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const token = 'token-of-the-bridge';

function verify({ headers, body }: Consumed) {
  new Webhook(secret).verify(body, headers as Record<string, string>, { jsonParse: false });
}

for (const { name, version, available, start } of brokers) {
  describe.skipIf(!available)(`with ${name}`, () => {
    let broker: TestBroker;
    let table: TestTable;
    let consumer: Consumer;
    let device: MqttClient;
    let prefix = 0;

    beforeAll(async () => {
      [broker, table] = await Promise.all([start(), startTable()]);
    });
    afterAll(() => Promise.all([broker?.stop(), table?.close()]));
    beforeEach(async () => {
      consumer = await startConsumer();
      device = await mqtt.connectAsync(broker.url, { protocolVersion: version });
      prefix++;
    });
    afterEach(() => device.endAsync(true));

    type Input = Parameters<typeof startTestBridge>[0];
    async function startBridge(path: string, route: NonNullable<Input['route']>) {
      const bridge = await startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: `${consumer.url}${path}`,
        route: { secret, ...route },
        broker: { clientIdPrefix: `hook${prefix}`, protocolVersion: version },
        token,
        table,
      });
      // Ready it is as a standby too, before it holds the session.
      await until(async () => {
        const metrics = await fetch(`${bridge.url}/metrics`);
        return (await metrics.text()).includes('active_sessions{route="store"} 1');
      });
      return bridge;
    }

    test('raw: payloads byte for byte, each to the path of its topic, in order, with signature and token', async () => {
      await startBridge('devices/{2}/{3}?site={1}', {
        filter: '+/+/+',
        format: 'raw',
        method: 'PUT',
        bearerToken: 'hunter2',
      });
      const payloads = ['{"a":1e400}', '', 'é', Buffer.from([0xff, 0, 0x0d, 0x0a])].map((payload) =>
        Buffer.from(payload),
      );
      for (const payload of payloads)
        await device.publishAsync('haus/d 1/temp', payload, { qos: 1 });
      await until(() => consumer.consumed.length === payloads.length);
      expect(consumer.consumed.map(({ body }) => body)).toEqual(payloads);
      for (const { method, target, headers } of consumer.consumed) {
        expect([method, target]).toEqual(['PUT', '/devices/d%201/temp?site=haus']);
        expect(headers).toMatchObject({
          'mqtt-topic': 'haus/d%201/temp',
          authorization: 'Bearer hunter2',
        });
      }
      for (const request of consumer.consumed.slice(0, 3)) verify(request);
    });

    test('cloudevents: one event a request, and 2xx says that it is there, whatever the answer’s body', async () => {
      consumer.answer = (_, response) => void response.writeHead(202).end('<h1>thanks</h1>');
      await startBridge('', { format: 'cloudevents' });
      for (const text of ['1', '2', '3']) await device.publishAsync('t', text, { qos: 1 });
      await until(() => consumer.consumed.length === 3);
      for (const request of consumer.consumed) verify(request);
      const events = consumer.consumed.map(({ body }) => JSON.parse(body.toString()));
      expect(events).toMatchObject(['1', '2', '3'].map((data) => ({ subject: 't', data })));
    });

    test('a message that has no URL becomes a dead letter with the reason, and holds up nobody; replayed, it goes the same way', async () => {
      const bridge = await startBridge('{2}/x', { format: 'cloudevents-binary' });
      const wrong = ['one', 'a/..', 'a/', `a/${'é'.repeat(2000)}`];
      for (const topic of [...wrong, 'a/b']) await device.publishAsync(topic, 'x', { qos: 1 });
      await until(() => consumer.consumed.length === 1);
      expect(consumer.consumed[0]?.target).toBe('/b/x');
      const letters = await until(async () => {
        const { Items = [] } = await table.client.send(
          new ScanCommand({ TableName: table.tableName }),
        );
        const letters = Items.filter(({ pk }) => pk?.S === 'quarantine');
        return letters.length === wrong.length ? letters : undefined;
      });
      expect(letters.map((letter) => letter['reason']?.S).sort()).toEqual([
        'a level of its topic is . or .., which would lead to another path',
        'an empty level of its topic would be an empty segment of the path',
        'its topic has no level 2 for the URL',
        'the URL would take 12003 bytes, above 8000',
      ]);
      const replayed = await fetch(`${bridge.url}/dead-letters/replay`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ id: letters[0]?.['sk']?.S }),
      });
      expect([replayed.status, await replayed.json()]).toMatchObject([
        422,
        { code: 'handler-refused' },
      ]);
      expect(consumer.consumed).toHaveLength(1);
    });

    test('a handler whose name leads to this machine holds the route, and is not connected to', async () => {
      const bridge = await startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: `http://localhost:${consumer.port}/`,
        route: { allowPrivate: false },
        broker: { clientIdPrefix: `hook${prefix}`, protocolVersion: version },
      });
      await untilReady(bridge);
      await device.publishAsync('t', 'x', { qos: 1 });
      const problems = await until(() => {
        const { problems } = bridge.status();
        return problems.length > 0 && problems;
      });
      expect(problems).toEqual([
        "route store: holding: the handler's name leads to a loopback address: set allowPrivate if the handler is there",
      ]);
      expect(consumer.connections).toBe(0);
    });

    // MQTT 3.1.1 says nothing of a message but its topic and flags.
    if (version === 5)
      test('what MQTT 5 says of a message comes with it, and breaks out of no header', async () => {
        await startBridge('', { format: 'cloudevents-binary' });
        const evil = 'a\u00e9 "b"% ce-id: x';
        await device.publishAsync('t', '{}', {
          qos: 1,
          properties: {
            contentType: 'application/cloudevents+json',
            responseTopic: 'reply',
            correlationData: Buffer.from([0, 255]),
            userProperties: { specversion: '1.0', id: evil, other: evil },
          },
        });
        const { headers } = await until(() => consumer.consumed[0]);
        expect(headers).toMatchObject({
          'content-type': 'application/json',
          'ce-contenttype': 'application/cloudevents+json',
          'ce-id': expect.stringMatching(/^a%C3%A9%20%22b%22%25%20ce-id:%20x\.[\w-]{22}$/),
          'ce-producerid': 'a%C3%A9%20%22b%22%25%20ce-id:%20x',
          'ce-responsetopic': 'reply',
          'ce-correlationdata': 'AP8=',
        });
        expect(JSON.parse(decodeURIComponent(String(headers['ce-userproperties'])))).toEqual([
          ['specversion', '1.0'],
          ['id', evil],
          ['other', evil],
        ]);
      });
  });
}
