// What a consumer gets in each format, over a real connection: the payload byte for byte, and every attribute.
import { HTTP } from 'cloudevents';
import { expect, test } from 'vitest';
import { startConsumer } from '../../support/consumer.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { openSink, send } from './routes.ts';

const payloads: readonly (readonly [string, Buffer, string])[] = [
  ['JSON', Buffer.from('{"celsius":21.5}'), 'application/json'],
  [
    'JSON that parsing would change',
    Buffer.from(' {"a":1e400,"a":9007199254740993}\n'),
    'application/json',
  ],
  ['a bare number', Buffer.from('-1'), 'application/json'],
  ['text', Buffer.from('21.5 °C'), 'text/plain; charset=utf-8'],
  ['text that begins as JSON', Buffer.from('{not so'), 'text/plain; charset=utf-8'],
  ['nothing', Buffer.alloc(0), 'text/plain; charset=utf-8'],
  ['binary', Buffer.from([0, 1, 0xff, 0xfe, 0x0d, 0x0a, 0x0d, 0x0a]), 'application/octet-stream'],
  ['invalid UTF-8', Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), 'application/octet-stream'],
  ['a replacement character', Buffer.from('\ufffd'), 'text/plain; charset=utf-8'],
  ['1 MB', Buffer.alloc(1024 * 1024, 'ab\u0000c'), 'text/plain; charset=utf-8'],
  ['1 MB of binary', Buffer.alloc(1024 * 1024, 0x80), 'application/octet-stream'],
];

/** As CloudEvents' HTTP binding 1.0.2, 3.1.3.2, has it; its SDK leaves this to the reader. */
function decoded(value: unknown): string {
  const text = String(value);
  return Buffer.from(
    text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  ).toString('utf8');
}

test.each(payloads)('raw and cloudevents-binary carry %s as it is', async (_, payload, type) => {
  const consumer = await startConsumer();
  for (const format of ['raw', 'cloudevents-binary'] as const) {
    const sink = await openSink({ url: consumer.url, format });
    expect(await send(sink, message({ payload }))).toMatchObject({ verdict: { kind: 'answered' } });
    const got = consumer.consumed.at(-1);
    expect(got?.body.equals(payload)).toBe(true);
    expect(got?.headers['content-type']).toBe(type);
  }
});

test.each(payloads)('cloudevents carries %s so that its SDK gives it back', async (_, payload) => {
  const consumer = await startConsumer();
  const sink = await openSink({ url: consumer.url, format: 'cloudevents' });
  const one = message({ payload, topic: 'räume/küche', id: 'id "1"' });
  await send(sink, one);
  const [got] = consumer.consumed;
  const event = HTTP.toEvent({ headers: got?.headers ?? {}, body: got?.body.toString() });
  if (Array.isArray(event)) throw new Error('one event');
  expect(event).toMatchObject({ id: 'id "1"', subject: 'räume/küche', source: one.source, qos: 1 });
  if (event.datacontenttype === 'application/json') {
    expect(event.data).toEqual(JSON.parse(payload.toString()));
    expect(got?.body.includes(payload)).toBe(true);
    return;
  }
  const bytes = event.data_base64
    ? Buffer.from(event.data_base64, 'base64')
    : Buffer.from((event.data ?? '') as string);
  expect(bytes.equals(payload)).toBe(true);
});

test.each([
  [2, 'causeway.mqtt.message.v2', { celsius: 21.5 }],
  [1, 'causeway.mqtt.message.v1', '{"celsius":21.5}'],
] as const)('version %i of the events', async (eventVersion, type, data) => {
  const consumer = await startConsumer();
  const setting = eventVersion === 2 ? {} : { eventVersion };
  for (const format of ['cloudevents', 'cloudevents-batch', 'cloudevents-binary'] as const) {
    const sink = await openSink({ url: consumer.url, format, ...setting });
    await send(sink, message());
    const got = consumer.consumed.at(-1);
    if (format === 'cloudevents-binary') expect(got?.headers['ce-type']).toBe(type);
    else expect([JSON.parse(String(got?.body))].flat()).toMatchObject([{ type, data }]);
  }
});

test('a batch is one that the SDK reads too', async () => {
  const consumer = await startConsumer();
  const sink = await openSink({ url: consumer.url });
  await send(sink, message({ text: 'a' }), message({ text: 'b' }));
  const [got] = consumer.consumed;
  const events = HTTP.toEvent({ headers: got?.headers ?? {}, body: got?.body.toString() });
  expect(events).toMatchObject([{ data: 'a' }, { data: 'b' }]);
});

test('cloudevents-binary: the SDK reads the event, and decoded attributes are those of the message', async () => {
  const consumer = await startConsumer();
  const sink = await openSink({ url: consumer.url, format: 'cloudevents-binary' });
  await fc.assert(
    fc.asyncProperty(anyMessage, async (one) => {
      await send(sink, one);
      const headers = consumer.consumed.at(-1)?.headers ?? {};
      const event = HTTP.toEvent({ headers, body: consumer.consumed.at(-1)?.body.toString() });
      expect(event).toMatchObject({ specversion: '1.0', type: 'causeway.mqtt.message.v2' });
      expect(decoded(headers['ce-id'])).toBe(one.id);
      expect(decoded(headers['ce-subject'])).toBe(one.topic);
      expect(decoded(headers['ce-source'])).toBe(one.source);
      expect(headers['ce-time']).toBe(one.time);
      expect([headers['ce-qos'], headers['ce-retain']]).toEqual([`${one.qos}`, `${one.retain}`]);
      const { contentType, responseTopic, correlationData, userProperties } = one.properties ?? {};
      const omitted = String(headers['ce-omitted'] ?? '').split(',');
      const expectAttribute = (name: string, value: string | undefined) => {
        const text = headers[`ce-${name}`];
        const expected = omitted.includes(name) ? undefined : value;
        expect(text === undefined ? undefined : decoded(text)).toBe(expected);
      };
      expectAttribute('contenttype', contentType);
      expectAttribute('responsetopic', responseTopic);
      expectAttribute(
        'correlationdata',
        correlationData && Buffer.from(correlationData).toString('base64'),
      );
      expectAttribute('userproperties', userProperties && JSON.stringify(userProperties));
    }),
    { numRuns: 50 },
  );
});

test('raw: attributes as headers, user properties as a form in their order', async () => {
  const consumer = await startConsumer();
  const sink = await openSink({ url: consumer.url, format: 'raw', headers: { 'X-Team': 'blue' } });
  await send(
    sink,
    message({
      id: 'a b',
      topic: 'küche/1',
      retain: true,
      possibleDuplicate: true,
      text: '1;2',
      properties: {
        contentType: 'text/csv; charset=utf-8; header="absent, really"',
        responseTopic: 'reply/1',
        correlationData: Buffer.from([0, 255]),
        messageExpirySeconds: 7,
        payloadFormat: 1,
        userProperties: [
          ['b', '1&2=3'],
          ['a', 'é\r\n'],
          ['b', ''],
        ],
      },
    }),
  );
  const [got] = consumer.consumed;
  expect(got).toMatchObject({
    method: 'POST',
    headers: {
      'x-team': 'blue',
      'content-type': 'text/csv; charset=utf-8; header="absent, really"',
      'content-length': '3',
      'mqtt-topic': 'k%C3%BCche/1',
      'mqtt-qos': '1',
      'mqtt-retain': 'true',
      'mqtt-message-id': 'a%20b',
      'mqtt-possible-duplicate': 'true',
      'mqtt-response-topic': 'reply/1',
      'mqtt-correlation-data': 'AP8=',
      'mqtt-message-expiry': '7',
      'mqtt-payload-format': '1',
    },
  });
  expect(got?.headers['mqtt-time']).toMatch(/^\d{4}-.*Z$/);
  expect([...new URLSearchParams(decoded(got?.headers['mqtt-user-properties']))]).toEqual([
    ['b', '1&2=3'],
    ['a', 'é\r\n'],
    ['b', ''],
  ]);
});
