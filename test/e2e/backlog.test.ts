// How many messages wait for a route, as the embedded broker tells it and the API shows it.
import { expect, test } from 'vitest';
import { startConsumer } from '../support/consumer.ts';
import { until } from '../support/wait.ts';
import { hookSecret, startWebhookStack } from '../support/webhook-stack.ts';

test('what waits at the broker is told, also beyond the window, and is gone when the route is resumed', async () => {
  const consumer = await startConsumer();
  const stack = await startWebhookStack({
    routes: [
      {
        name: 'hook',
        filter: 'rooms/#',
        window: 5,
        handler: { url: `${consumer.url}/hook`, allowPrivate: true, secretName: hookSecret },
      },
    ],
  });
  const backlogIs = (route: string, messages: number) =>
    until(
      async () =>
        (await stack.call('GET', `/v1/routes/${route}`)).body.backlogMessages === messages,
      { what: `a backlog of ${messages} for ${route}` },
    );
  await stack.call('POST', '/v1/routes/hook/pause');
  await stack.publish('rooms/1', ...Array.from({ length: 20 }, (_, number) => `${number}`));
  await backlogIs('hook', 20);
  await backlogIs('store', 0);
  const { body } = await stack.call('GET', '/v1/routes/hook');
  expect(body.unsettledMessages).toBe(5);
  expect(consumer.consumed).toEqual([]);

  await stack.call('POST', '/v1/routes/hook/resume');
  await backlogIs('hook', 0);
});
