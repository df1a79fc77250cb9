// The handler is down, slow or wrong: the bridge holds, takes no more than its window, and loses nothing.
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import type { Fault } from './rig/handler.ts';
import { rowTimeoutMs, scaled } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `the handler ${hasMosquitto ? '' : needsMosquitto}`.trim();
const window = 200;

function answering(status: number, body = '', headers: Record<string, string> = {}): Fault {
  return ({ response }) => void response.writeHead(status, headers).end(body);
}

/** A body that never ends. The bridge has to hang up. */
function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = () => {
    while (!response.destroyed && response.write('['.repeat(1024)));
  };
  response.on('drain', more);
  more();
}

const unknownId = '{"batchItemFailures":[{"itemIdentifier":"nobody","retryable":false}]}';

const faults: readonly (readonly [what: string, fault: Fault | 'refuse'])[] = [
  ['answers 500', answering(500)],
  ['answers 502', answering(502, '<html>')],
  ['answers 503', answering(503)],
  ['answers 429 with Retry-After', answering(429, '', { 'retry-after': '1' })],
  ['answers 404', answering(404)],
  ['refuses connections', 'refuse'],
  ['answers 200 with half a receipt', answering(200, '{"batchItem')],
  ['answers 200 naming unknown ids', answering(200, unknownId)],
  ['redirects', answering(307, '', { location: '/elsewhere' })],
  ['answers an endless body', ({ response }) => endless(response)],
  ['closes the connection', ({ response }) => void response.destroy()],
  // Stored, and the bridge cannot know: the same messages come again.
  [
    'stores and then answers 500',
    async ({ ingest, response }) => {
      await ingest();
      response.writeHead(500).end();
    },
  ],
];

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  test.each(faults)('%s', async (what, fault) => {
    const rig = await startRig({
      row: `handler ${what}`,
      route: { window, maxBatch: 50, timeoutMs: 1000 },
    });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    await rig.publisher.publish({ count: window, perSecond: 1000 });
    await rig.settled();
    const rssBefore = bridge.rssMegabytes();

    if (fault === 'refuse') await rig.handler.refuse();
    else rig.handler.fault = fault;
    const takenBefore = rig.proxy.publishes;
    await rig.publisher.publish({ count: scaled(2000), perSecond: 2000 });
    await until(async () => (await bridge.problems())?.some((line) => line.includes('holding')));
    await delay(500);
    const taken = rig.proxy.publishes - takenBefore;
    const held = await bridge.metric('in_flight_messages');
    const rss = bridge.rssMegabytes();

    if (fault === 'refuse') await rig.handler.accept();
    rig.handler.fault = undefined;
    await rig.settled(30_000);
    const note = `taken while down ${taken}, RSS ${rssBefore} → ${rss} MB`;
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
    expect(taken).toBeLessThanOrEqual(window);
    expect(held).toBe(window);
    expect(rig.proxy.connectsOf.get('faults-store-0')).toBe(1);
  });

  test.concurrent.for([
    { protocolVersion: 5, what: 'hangs for three keep-alives' },
    // The broker sends all that it has: it is the bridge that has to stop reading, and to keep the connection.
    { protocolVersion: 4, what: 'hangs for three keep-alives, MQTT 3.1.1' },
  ] as const)('$what', async ({ protocolVersion, what }, { onTestFinished, expect }) => {
    const rig = await startRig({
      row: `handler ${what}`,
      onTestFinished,
      broker: { keepaliveSeconds: 5, protocolVersion },
      brokerSettings: ['max_inflight_messages 0'],
      route: { window, maxBatch: 50, timeoutMs: 60_000 },
    });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const waiting: (() => void)[] = [];
    rig.handler.fault = async ({ pass }) => {
      await new Promise<void>((resolve) => void waiting.push(resolve));
      await pass();
    };
    const rssBefore = bridge.rssMegabytes();
    await rig.publisher.publish({ count: scaled(2000), perSecond: 2000 });
    await delay(16_000);
    const held = await bridge.metric('in_flight_messages');
    const taken = rig.proxy.publishes;
    const rss = bridge.rssMegabytes();
    rig.handler.fault = undefined;
    for (const resolve of waiting) resolve();
    await rig.settled();
    const note = `held ${held}, sent by the broker ${taken}, RSS ${rssBefore} → ${rss} MB`;
    expect((await rig.verdict([bridge], { note })).faults).toEqual([]);
    expect(held).toBe(window);
    if (protocolVersion === 5) expect(taken).toBeLessThanOrEqual(window);
    expect(rig.proxy.connectsOf.get('faults-store-0')).toBe(1);
  });
});
