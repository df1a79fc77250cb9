// A test event over the bridge's own HTTP, in each format: what was sent and came back, and that nothing else happens.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { topicFor } from '../../../bridge/routes/route-test.ts';
import { routeTestSchema } from '../../../functions/contract/route-test.ts';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { brokers, type TestBroker } from '../../support/brokers.ts';
import { askRoutes as ask, statusOf, routeToken as token } from '../../support/route-control.ts';
import { until } from '../../support/wait.ts';
import { startRawHandler } from './raw-handler.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const [embedded] = brokers;

describe('a test event', () => {
  let broker: TestBroker;
  beforeAll(async () => {
    if (embedded === undefined) throw new Error('there is no broker');
    broker = await embedded.start();
  });
  afterAll(() => broker?.stop());
  let prefix = 0;

  async function testedRoute(route: object = {}) {
    const handler = await startRawHandler();
    onTestFinished(() => handler.close());
    const bridge = await startTestBridge({
      brokerUrl: broker.url,
      handlerUrl: `${handler.url}/mqtt?key=abc`,
      token,
      broker: { clientIdPrefix: `test${prefix++}` },
      route: { filter: 'rooms/+/temperature', secret, ...route },
    });
    await untilReady(bridge);
    async function tested(topic?: string) {
      const answer = await ask(bridge.url, '/test', { name: 'store', ...(topic && { topic }) });
      return { status: answer.status, body: answer.body };
    }
    return { handler, bridge, tested };
  }

  test.each(['cloudevents', 'cloudevents-binary', 'raw', 'cloudevents-batch'] as const)(
    '%s: marked, signed, and shown without the signature',
    async (format) => {
      const { handler, bridge, tested } = await testedRoute({ format });
      handler.answer = { status: 202, body: 'Accepted', headers: { 'set-cookie': 'a=1' } };
      const { status, body } = await tested();
      expect(status).toBe(200);
      const result = routeTestSchema.parse(body);
      expect(result).toMatchObject({
        verdict: 'delivered',
        sent: {
          method: 'POST',
          url: expect.stringMatching(/\/mqtt\?key=\*\*\*$/),
          headers: { 'causeway-test': 'true', 'webhook-signature': 'v1,***' },
        },
        answer: { status: 202, body: 'Accepted', headers: { 'set-cookie': '***' } },
      });
      expect(handler.requests).toHaveLength(1);
      const [request] = handler.requests;
      expect(request?.headers['webhook-signature']).toMatch(/^v1,[^*]{10}/);
      expect(request?.body).toBe(result.sent?.body);
      expect(`${JSON.stringify(request?.headers)}${request?.body}`).toContain(
        format === 'raw' || format === 'cloudevents-binary'
          ? 'rooms/test/temperature'
          : '"subject":"rooms/test/temperature"',
      );
      expect(JSON.stringify(result)).not.toContain(secret);
      // It is no message.
      const after = await statusOf(bridge.url);
      expect(after).toMatchObject({ state: 'active', receivedMessages: 0, deliveredMessages: 0 });
    },
  );

  test('what is wrong is told with its cure, and the route does not hold for it', async () => {
    const { handler, bridge, tested } = await testedRoute({ format: 'raw' });
    handler.answer = { status: 401, body: 'who are you?' };
    expect(routeTestSchema.parse((await tested()).body)).toMatchObject({
      verdict: 'held',
      explanation: expect.stringContaining('secret or token'),
      answer: { status: 401, body: 'who are you?' },
    });
    expect(await statusOf(bridge.url)).toMatchObject({ state: 'active' });
    await handler.close();
    const last = await until(async () => {
      const { status, body } = await tested();
      return status === 200 ? routeTestSchema.parse(body) : undefined;
    });
    expect(last).toMatchObject({
      verdict: 'held',
      explanation: expect.stringContaining('start the handler'),
    });
    expect(last).not.toHaveProperty('answer');
  });

  test('of the topic that is named, if the filter matches it, and one a second', async () => {
    const { handler, tested } = await testedRoute({ format: 'raw' });
    const wrong = await tested('rooms/kitchen/humidity');
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: 'topic' }] } });
    expect(await tested('rooms/+/temperature')).toMatchObject({ status: 400 });
    const both = await Promise.all([tested('rooms/a/temperature'), tested('rooms/b/temperature')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 429]);
    expect(handler.requests).toHaveLength(1);
  });

  test('also while the route is paused, and where the handler is gone that disables nothing', async () => {
    const { handler, bridge, tested } = await testedRoute({ format: 'raw' });
    await ask(bridge.url, '/pause', { name: 'store' });
    handler.answer = { status: 410, body: '' };
    expect((await tested()).body).toMatchObject({ verdict: 'disabled' });
    expect(await statusOf(bridge.url)).toMatchObject({ state: 'paused' });
  });
});

test.each([
  ['#', 'test'],
  ['devices/+/state', 'devices/test/state'],
  ['a/#', 'a/test'],
  ['$SYS/#', '$SYS/test'],
  ['a//b', 'a//b'],
])('a topic that %s matches: %s', (filter, topic) => {
  expect(topicFor(filter)).toBe(topic);
});
