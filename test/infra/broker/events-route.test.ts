// Events on their way through the bridge: a route with `$events/#` gets them like any other message.
import { expect, onTestFinished, test } from 'vitest';
import { startTestBridge, untilReady } from '../../support/bridges.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { until } from '../../support/wait.ts';
import { connect, start } from './started.ts';

async function route(brokerUrl: string, name: string, filter: string): Promise<TestHandler> {
  const handler = await startHandler();
  onTestFinished(() => handler.close());
  const bridge = await startTestBridge({
    brokerUrl,
    handlerUrl: handler.url,
    broker: { clientIdPrefix: name },
    route: { name, filter },
  });
  await untilReady(bridge);
  return handler;
}

test('$events/# comes to a handler over HTTP, kept while it is down; # has none of it', async () => {
  const broker = await start();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const events = await route(url, 'events', '$events/#');
  const all = await route(url, 'all', '#');
  events.answer = (_, response) => void response.writeHead(503).end();
  const lamp = await connect(broker, { clientId: 'lamp' });
  await lamp.publishAsync('rooms/kitchen', 'dark', { qos: 1 });
  await lamp.endAsync();
  await until(() => events.requests.length > 1);
  events.answer = (_, response) => void response.end();

  const told = () => events.stored.filter(({ data }) => JSON.stringify(data).includes('"lamp"'));
  await until(() => told().length === 3);
  // The bridge keeps the order of one topic, not between topics.
  const bySubject = Object.fromEntries(
    told().map(({ subject, data }) => [subject, JSON.stringify(data)]),
  );
  expect(bySubject).toEqual({
    '$events/client/connected': expect.stringContaining('"keepAliveSeconds":60'),
    '$events/message/received': expect.stringContaining('"topic":"rooms/kitchen"'),
    '$events/client/disconnected': expect.stringContaining('"reason":"clean"'),
  });
  await until(() => all.stored.length > 0);
  expect(all.stored.map(({ subject }) => subject)).toEqual(['rooms/kitchen']);
});
