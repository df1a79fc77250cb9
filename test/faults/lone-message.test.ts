// One topic, so no other message can speak for the handler while the first one fails.
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { rowTimeoutMs, scaled, scaledMs } from './rig/random.ts';
import { startRig } from './rig/rig.ts';

const name = `a lone message ${hasMosquitto ? '' : needsMosquitto}`.trim();
const retry = { baseMs: 20, capMs: 100 };

describe.skipIf(!hasMosquitto)(name, { timeout: rowTimeoutMs }, () => {
  // An hour at a hundredth of the times: 600 s of `aloneSeconds` are 1 s, and 30 s between two tries 100 ms.
  test('a proxy answers 503 for hours: no dead letter, and all is stored after it', async () => {
    const rig = await startRig({
      row: '503 for hours on one topic',
      route: { retry, failingMessage: { tries: 2, afterSeconds: 0, aloneSeconds: 1 } },
    });
    const bridge = rig.startBridge();
    await bridge.untilReady();
    rig.handler.fault = ({ response }) => void response.writeHead(503).end();
    await rig.publisher.publish({ count: scaled(300), perSecond: 1000, topics: 1 });
    await delay(scaledMs(12_000));
    rig.handler.fault = undefined;
    await rig.settled();
    const verdict = await rig.verdict([bridge], { note: `${rig.handler.requests} requests` });
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(0);
  });

  test.each([
    ['our own ingest', { ingest: true }, {}],
    ['a webhook with aloneSeconds', {}, { aloneSeconds: 1 }],
  ])('%s fails on one of them: it alone is a dead letter', async (handler, route, alone) => {
    const rig = await startRig({
      row: `500 to one message of one topic, ${handler}`,
      route: { ...route, retry, failingMessage: { tries: 3, afterSeconds: 1, ...alone } },
    });
    rig.handler.fault = async ({ body, response, pass }) => {
      if (body.includes('poison')) response.writeHead(500).end();
      else await pass();
    };
    const bridge = rig.startBridge();
    await bridge.untilReady();
    const count = scaled(100);
    await rig.publisher.publish({
      count,
      perSecond: 500,
      topics: 1,
      content: (number) => (number === 40 ? 'poison' : 'a message'),
    });
    await until(() => rig.storedNumbers.size === count - 1, { timeoutMs: scaledMs(30_000) });
    await rig.settled();
    const verdict = await rig.verdict([bridge]);
    expect(verdict.faults).toEqual([]);
    expect(verdict.quarantined).toBe(1);
  });
});
