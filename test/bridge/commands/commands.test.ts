// Commands from the queue to devices, over real brokers and a real table: sent in order, recorded, answered.
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest';
import type { Bridge } from '../../../bridge/bridge.ts';
import type { Outcome, WaitFor } from '../../../functions/contract/command.ts';
import type { QueuedCommand } from '../../../functions/table/queued-command.ts';
import { type BridgeInput, startTestBridge, untilReady } from '../../support/bridges.ts';
import { brokers, type TestBroker } from '../../support/brokers.ts';
import { command, inLedger, queueLength, record } from '../../support/queue.ts';
import { startTable, type TestTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const token = 'token-of-the-bridge';

function postTo(url: string, body: unknown, bearer = token): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Waits until the bridge is the one that sends commands. */
async function untilHolder(bridge: Bridge): Promise<void> {
  const body = { commands: [{ id: command().id, waitFor: 'none' }], timeoutMs: 0 };
  await until(async () => (await postTo(`${bridge.url}/deliver`, body)).ok);
}

async function deliver(
  bridge: Bridge,
  commands: readonly QueuedCommand[],
  waitFor: WaitFor = 'broker',
  timeoutMs = 10_000,
): Promise<Outcome[]> {
  const response = await postTo(`${bridge.url}/deliver`, {
    commands: commands.map(({ id }) => ({ id, waitFor })),
    timeoutMs,
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { outcomes: Outcome[] }).outcomes;
}

for (const { name, version, available, start } of brokers) {
  describe.skipIf(!available)(`with ${name}`, () => {
    let broker: TestBroker;
    let table: TestTable;
    let device: MqttClient;
    const received: IPublishPacket[] = [];
    let prefix = 0;

    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker?.stop());
    beforeEach(async () => {
      const opened = await startTable();
      table = opened;
      // After the bridges of the test, which still write.
      onTestFinished(() => opened.close());
      device = await mqtt.connectAsync(broker.url, { protocolVersion: version });
      received.length = 0;
      device.on('message', (_, __, packet) => received.push(packet));
      prefix++;
    });
    afterEach(async () => {
      await device.endAsync(true);
    });

    async function startBridge(input: Partial<BridgeInput> = {}): Promise<Bridge> {
      const bridge = await startTestBridge({
        brokerUrl: broker.url,
        // Nothing listens there: routes and commands do not need each other.
        handlerUrl: 'http://127.0.0.1:9/',
        route: { filter: 'nothing/here' },
        token,
        table,
        ...input,
        broker: {
          clientIdPrefix: `test${prefix}`,
          protocolVersion: version,
          ...input.broker,
        },
      });
      await untilReady(bridge);
      await untilHolder(bridge);
      return bridge;
    }
    const payloads = () => received.map(({ payload }) => payload.toString());

    /** A device that answers as MQTT 5 asks, or by the topic where there are no properties. */
    function answer(packet: IPublishPacket, payload: string, parts: object = {}): Promise<unknown> {
      const { responseTopic, correlationData } = packet.properties ?? {};
      return device.publishAsync(
        responseTopic ?? packet.topic.replace('/cmd/', '/reply/'),
        payload,
        {
          qos: 1,
          ...(version === 5 && {
            properties: { ...(correlationData && { correlationData }), ...parts },
          }),
        },
      );
    }
    const asking = (text = 'how warm?', correlation = 'correlation') =>
      command({
        topic: 'd/1/cmd/{commandId}',
        payload: text,
        awaitsReply: true,
        properties: {
          responseTopic: 'd/1/reply/{commandId}',
          correlationData: Buffer.from(correlation),
        },
      });

    test('reach a device at QoS 0, 1 and 2, in order, and are recorded as sent', async () => {
      // Between broker and device, too, order holds within one QoS only.
      await device.subscribeAsync('d/#', { qos: 1 });
      const bridge = await startBridge();
      const commands = ([1, 0, 2, 1] as const).map((qos, index) =>
        command({ qos, payload: `${index}` }),
      );
      await record(table, ...commands);
      const outcomes = await deliver(bridge, commands);
      expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('sent'));
      await until(() => received.length === 4);
      expect(payloads()).toEqual(['0', '1', '2', '3']);
      const entry = await inLedger(table, commands[0]?.id ?? '');
      expect(entry).toMatchObject({ status: 'sent', sentAt: outcomes[0]?.sentAt });
      expect(entry.history.map(({ status }) => status)).toEqual(['pending', 'sent']);
      await until(async () => (await queueLength(table)) === 0);
    });

    test('bring retain, and on MQTT 5 their properties', async () => {
      const bridge = await startBridge();
      const full = command({
        topic: `kept/${version}`,
        payload: Buffer.from([0xff, 0x00]),
        retain: true,
        expiresAtBroker: true,
        properties: {
          contentType: 'text/plain',
          responseTopic: 'd/1/replies',
          correlationData: Buffer.from([1, 2]),
          userProperties: [
            ['__proto__', 'x'],
            ['a', '1'],
            ['a', '2'],
          ],
        },
      });
      await record(table, full);
      await deliver(bridge, [full]);
      await device.subscribeAsync(`kept/${version}`);
      await until(() => received.length === 1);
      expect(received[0]).toMatchObject({ retain: true, payload: Buffer.from([0xff, 0x00]) });
      if (version === 5) {
        const { properties } = received[0] ?? {};
        expect(properties).toMatchObject({
          contentType: 'text/plain',
          responseTopic: 'd/1/replies',
          correlationData: Buffer.from([1, 2]),
        });
        expect(Object.entries(properties?.userProperties ?? {})).toContainEqual(['a', ['1', '2']]);
        expect(properties?.messageExpiryInterval).toBeGreaterThan(50);
      } else expect(received[0]?.properties).toBeUndefined();
    });

    test('of a megabyte go out as they are', async () => {
      await device.subscribeAsync('d/#', { qos: 1 });
      const bridge = await startBridge();
      const large = command({ payload: Buffer.alloc(1_000_000, 'x1y2') });
      await record(table, large, command({ payload: 'next' }));
      await deliver(bridge, [large]);
      await until(() => received.length === 2);
      expect(Buffer.from(large.payload).equals(received[0]?.payload as Buffer)).toBe(true);
    });

    test('that wait in the queue when the bridge starts are sent without being asked for', async () => {
      await device.subscribeAsync('d/#', { qos: 1 });
      await record(table, ...['1', '2', '3'].map((payload) => command({ payload })));
      await startBridge();
      await until(() => received.length === 3);
      expect(payloads()).toEqual(['1', '2', '3']);
    });

    test('past their deadline are not sent', async () => {
      await device.subscribeAsync('d/#', { qos: 1 });
      const bridge = await startBridge();
      const late = command({ expiresInMs: -1 });
      const fresh = command({ payload: 'fresh' });
      await record(table, late, fresh);
      const outcomes = await deliver(bridge, [late, fresh]);
      expect(outcomes.map(({ status }) => status)).toEqual(['expired', 'sent']);
      await until(() => received.length > 0);
      expect(payloads()).toEqual(['fresh']);
      expect((await inLedger(table, late.id)).status).toBe('expired');
    });

    test('are answered by the device, and by nothing else', async () => {
      await device.subscribeAsync('d/1/cmd/+', { qos: 1 });
      const bridge = await startBridge();
      const [first, second] = [asking('first', 'one'), asking('second', 'two')];
      await record(table, first, second);
      const answered = deliver(bridge, [first, second], 'reply');
      await until(() => received.length === 2);
      const [question, other] = received;
      if (question === undefined || other === undefined) throw new Error('not received');
      // Forged: another topic; and on MQTT 5 another correlation.
      await device.publishAsync('d/1/reply/somebody-else', 'forged', { qos: 1 });
      if (version === 5) await answer(question, 'forged', { correlationData: Buffer.from('two') });
      await answer(question, '21', { contentType: 'text/plain' });
      await answer(question, 'doubled');
      await answer(other, '22');
      const outcomes = await answered;
      const texts = outcomes.map(({ reply }) =>
        Buffer.from(reply?.payloadBase64 ?? '', 'base64').toString(),
      );
      expect(outcomes.map(({ status }) => status)).toEqual(['answered', 'answered']);
      expect(texts).toEqual(['21', '22']);
      expect(outcomes[0]?.reply).toMatchObject({
        topic: `d/1/reply/${first.id}`,
        ...(version === 5 && { contentType: 'text/plain' }),
      });
      const entry = await inLedger(table, first.id);
      expect(entry.history.map(({ status }) => status)).toEqual(['pending', 'sent', 'answered']);
      expect(Buffer.from(entry.reply?.payloadBase64 ?? '', 'base64').toString()).toBe('21');
      const metrics = await (await fetch(`${bridge.url}/metrics`)).text();
      const dropped = version === 5 ? 3 : 2;
      expect(metrics).toContain(`causeway_replies_unused_total{reason="dropped"} ${dropped}`);
      expect(metrics).toContain('causeway_commands_total{result="answered"} 2');
    });

    test('whose device is slow stay sent; a later question finds the late answer, or waits on', async () => {
      await device.subscribeAsync('d/1/cmd/+', { qos: 1 });
      const first = await startBridge();
      const question = asking();
      await record(table, question);
      const [early] = await deliver(first, [question], 'reply', 300);
      expect(early).toMatchObject({ status: 'sent' });
      // Another bridge knows what to wait for from the ledger.
      await first.drain();
      const second = await startBridge();
      const again = deliver(second, [question], 'reply');
      await until(async () => {
        const [packet] = received;
        if (packet) await answer(packet, 'late');
        return (await inLedger(table, question.id)).status === 'answered';
      });
      expect(await again).toMatchObject([
        { status: 'answered', reply: { topic: `d/1/reply/${question.id}` } },
      ]);
      expect(await deliver(second, [question], 'reply')).toMatchObject([{ status: 'answered' }]);
      expect(received).toHaveLength(1);
    });

    test.each([300_000, 900_000])('fail where the answer is too large: %d bytes', async (bytes) => {
      await device.subscribeAsync('d/1/cmd/+', { qos: 1 });
      const bridge = await startBridge();
      const question = asking();
      await record(table, question);
      const answered = deliver(bridge, [question], 'reply');
      await until(() => received.length === 1);
      if (received[0]) await answer(received[0], 'x'.repeat(bytes));
      expect(await answered).toMatchObject([
        { status: 'failed', error: { code: 'reply-too-large' } },
      ]);
    });

    if (version === 5) {
      test('are answered by an MQTT 3.1.1 device too, by the id in the topic', async () => {
        const old = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
        onTestFinished(() => old.endAsync(true));
        old.on('message', (topic) =>
          old.publish(topic.replace('/cmd/', '/reply/'), '21', { qos: 1 }),
        );
        await old.subscribeAsync('d/1/cmd/+', { qos: 1 });
        const bridge = await startBridge();
        const question = asking();
        await record(table, question);
        const [outcome] = await deliver(bridge, [question], 'reply');
        expect(outcome?.status).toBe('answered');
      });
    }

    test('that share a response topic are told by correlation data, which MQTT 3.1.1 does not have', async () => {
      const bridge = await startBridge();
      const shared = ['1', '2'].map((correlation) =>
        command({
          topic: 'd/1/cmd/{commandId}',
          payload: correlation,
          awaitsReply: true,
          properties: { responseTopic: 'd/replies', correlationData: Buffer.from(correlation) },
        }),
      );
      await device.subscribeAsync('d/1/cmd/+', { qos: 1 });
      await record(table, ...shared);
      const answered = deliver(bridge, shared, 'reply');
      if (version === 4) {
        // Without correlation data nobody could say whose reply it is.
        expect(await answered).toMatchObject(Array(2).fill({ status: 'failed' }));
        expect(received).toEqual([]);
        return;
      }
      await until(() => received.length === 2);
      for (const packet of received.toReversed()) await answer(packet, `to ${packet.payload}`);
      const texts = (await answered).map(({ reply }) =>
        Buffer.from(reply?.payloadBase64 ?? '', 'base64').toString(),
      );
      expect(texts).toEqual(['to 1', 'to 2']);
    });

    // One broker is enough for the whole burst.
    const burst = version === 5 ? 4000 : 2000;
    test(`${burst} over 20 topics arrive in the order of each topic`, async () => {
      await device.subscribeAsync('burst/#', { qos: 1 });
      const commands = Array.from({ length: burst }, (_, number) =>
        command({ topic: `burst/${number % 20}`, payload: String(number), expiresInMs: 600_000 }),
      );
      // Bounded, as the table is in this process.
      for (let from = 0; from < commands.length; from += 50)
        await Promise.all(commands.slice(from, from + 50).map((each) => record(table, each)));
      const sinceMs = performance.now();
      // A busy machine loses a lease of two seconds, and then what was in flight is rightly sent again.
      await startBridge({ leaseSeconds: 60 });
      await until(() => received.length >= burst);
      await until(async () => (await queueLength(table)) === 0);
      console.log(`${name}: ${burst} commands in ${Math.round(performance.now() - sinceMs)} ms`);
      expect(received).toHaveLength(burst);
      for (let topic = 0; topic < 20; topic++) {
        const numbers = received
          .filter((packet) => packet.topic === `burst/${topic}`)
          .map(({ payload }) => Number(payload.toString()));
        expect(numbers).toEqual(
          Array.from({ length: burst / 20 }, (_, index) => index * 20 + topic),
        );
      }
    });

    test('of two bridges only one sends; a standby says so, and takes over', async () => {
      await device.subscribeAsync('d/#', { qos: 1 });
      const first = await startBridge();
      const second = await startTestBridge({
        brokerUrl: broker.url,
        handlerUrl: 'http://127.0.0.1:9/',
        route: { filter: 'nothing/here' },
        token,
        table,
        broker: { clientIdPrefix: `test${prefix}` },
      });
      await until(() => second.status().ready);
      const one = command({ payload: '1' });
      const refused = await postTo(`${second.url}/deliver`, {
        commands: [{ id: one.id, waitFor: 'broker' }],
        timeoutMs: 1000,
      });
      expect([refused.status, await refused.json()]).toEqual([
        503,
        expect.objectContaining({ code: 'bridge-unavailable', detail: 'standby' }),
      ]);
      // So that the next try looks up the name again, and may reach the other one.
      expect(refused.headers.get('connection')).toBe('close');
      await record(table, one);
      await deliver(first, [one]);
      await first.drain();
      await record(table, command({ payload: '2' }));
      await until(() => received.length === 2);
      expect(payloads()).toEqual(['1', '2']);
    });

    test('is malformed, or comes without the token', async () => {
      const bridge = await startBridge();
      const { id } = command();
      const url = `${bridge.url}/deliver`;
      const body = { commands: [{ id, waitFor: 'broker' }], timeoutMs: 0 };
      const codes = await Promise.all(
        [
          postTo(url, body, 'wrong'),
          postTo(url, '{"commands'),
          postTo(url, { ...body, timeoutMs: 1e9 }),
          postTo(url, { ...body, commands: [{ id: 'x'.repeat(53), waitFor: 'broker' }] }),
          postTo(url, { ...body, commands: Array(1001).fill(body.commands[0]) }),
          postTo(url, 'x'.repeat(300_000)),
          postTo(url, body),
        ].map(async (response) => (await response).status),
      );
      expect(codes).toEqual([401, 400, 400, 400, 400, 413, 200]);
    });

    test('at a broker that is away: pending, and sent when it is back', async () => {
      await device.subscribeAsync('d/#', { qos: 1 });
      const bridge = await startTestBridge({
        brokerUrl: 'mqtt://127.0.0.1:1',
        handlerUrl: 'http://127.0.0.1:9/',
        token,
        table,
      });
      const one = command();
      await record(table, one);
      await untilHolder(bridge);
      expect(await deliver(bridge, [one], 'broker', 200)).toEqual([
        { id: one.id, status: 'pending' },
      ]);
      await bridge.drain();
      await startBridge({ broker: { clientIdPrefix: 'causeway' } });
      await until(() => received.length === 1);
    });
  });
}
