// Traces over the whole local stack, as a collector gets them: from a device's PUBLISH to the store, and from a REST
// command to the device's reply.
import mqtt from 'mqtt';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { openTracing } from '../../bridge/tracing/tracing.ts';
import { parseCausewayConfig } from '../../infra/config/config.ts';
import { parseSettings } from '../../infra/local/settings.ts';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { temporaryFolder } from '../support/brokers.ts';
import {
  attributeOf,
  type CollectedSpan,
  type Collector,
  startCollector,
} from '../support/collector.ts';
import { until } from '../support/wait.ts';

const log = pino({ level: 'silent' });
const traceOf = (digit: string) => digit.repeat(32);
const parentId = '00f067aa0ba902b7';
const traceparent = (digit: string) => `00-${traceOf(digit)}-${parentId}-01`;

let collector: Collector;

async function start(): Promise<LocalStack> {
  collector = await startCollector();
  const settings = parseSettings({
    PORT: '0',
    MQTT_PORT: '0',
    DATA_DIR: temporaryFolder('tracing'),
  });
  const config = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com' },
    routes: [{ name: 'store', filter: '#' }],
  });
  if (!settings.ok || !config.ok) throw new Error('the settings are wrong');
  const tracing = openTracing({ endpoint: collector.url, serviceName: 'house', ratio: 1, log });
  const stack = await startStack(settings.value, config.value, log, { tracing });
  onTestFinished(() => stack.stop());
  return stack;
}

/** The spans of a trace, once one of this name has come. */
function trace(digit: string, name: string): Promise<CollectedSpan[]> {
  const ofTrace = () => collector.spans().filter(({ traceId }) => traceId === traceOf(digit));
  return until(
    () => {
      const spans = ofTrace();
      return spans.some((span) => span.name === name) ? spans : undefined;
    },
    { what: `a span ${name}` },
  );
}

const named = (spans: readonly CollectedSpan[], name: string) =>
  spans.find((span) => span.name === name);

test('one trace leads from a PUBLISH over the request to the store, and one from a command to the reply', async () => {
  const stack = await start();
  const device = await mqtt.connectAsync(stack.brokerUrl, { protocolVersion: 5 });
  onTestFinished(() => device.endAsync(true));

  const told = (digit: string) => ({
    qos: 1 as const,
    properties: { userProperties: { traceparent: traceparent(digit) } },
  });
  // Together in one batch, or each in its own.
  await Promise.all([
    device.publishAsync('rooms/a', '1', told('a')),
    device.publishAsync('rooms/b', '2', told('b')),
  ]);
  for (const digit of ['a', 'b']) {
    const spans = await trace(digit, 'receive store');
    expect(named(spans, 'receive store')).toMatchObject({ parentSpanId: parentId });
    expect(
      attributeOf(named(spans, 'receive store') as CollectedSpan, 'messaging.destination.name'),
    ).toBe(`rooms/${digit}`);
  }
  const requests = collector.spans().filter(({ name }) => name === 'POST store');
  const receives = collector.spans().filter(({ name }) => name === 'receive store');
  for (const receive of receives) {
    const isParent = requests.some(({ parentSpanId }) => parentSpanId === receive.spanId);
    const isLinked = requests.some(({ links = [] }) =>
      links.some(({ spanId }) => spanId === receive.spanId),
    );
    expect([isParent, isLinked]).toContain(true);
  }
  const first = await trace('a', 'store').catch(() => trace('b', 'store'));
  const request = named(first, 'POST store');
  const ingest = named(first, 'POST ingest');
  expect(ingest?.parentSpanId).toBe(request?.spanId);
  expect(named(first, 'store')?.parentSpanId).toBe(ingest?.spanId);

  const commands: string[] = [];
  device.on('message', (topic, _, { properties }) => {
    commands.push(String(properties?.userProperties?.['traceparent']));
    const { responseTopic, correlationData } = properties ?? {};
    if (responseTopic === undefined || !topic.endsWith('/cmd')) return;
    device.publish(responseTopic, 'yes', {
      qos: 1,
      properties: { ...(correlationData !== undefined && { correlationData }) },
    });
  });
  await device.subscribeAsync('lamp/cmd', { qos: 1 });
  const post = (path: string, body: unknown, headers = {}) =>
    fetch(`${stack.apiUrl}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${stack.token}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    });
  const answer = await post(
    '/v1/publish',
    { topic: 'lamp/cmd', payload: 'on', waitFor: 'reply' },
    { traceparent: traceparent('c') },
  );
  expect(await answer.json()).toMatchObject({ status: 'answered' });
  const spans = await trace('c', 'reply of a device');
  await until(() => named(collector.spans(), 'POST api'));
  const asked = named(await trace('c', 'POST api'), 'POST api');
  const sent = named(spans, 'publish command');
  expect(asked?.parentSpanId).toBe(parentId);
  expect(sent?.parentSpanId).toBe(asked?.spanId);
  expect(named(spans, 'reply of a device')?.parentSpanId).toBe(sent?.spanId);
  // The device can go on with the trace.
  expect(commands).toEqual([`00-${traceOf('c')}-${asked?.spanId}-01`]);

  // A replay is in the trace that the device gave.
  expect((await post('/v1/replay', { filter: 'rooms/a', route: 'store' })).status).toBe(202);
  const replayed = await until(() =>
    collector.spans().find((span) => attributeOf(span, 'causeway.replay_id') !== undefined),
  );
  expect(replayed).toMatchObject({
    name: 'POST store',
    traceId: traceOf('a'),
    parentSpanId: parentId,
  });
});
