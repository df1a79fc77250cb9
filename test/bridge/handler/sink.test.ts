// The headers of a request as they leave.
import { expect, onTestFinished, test } from 'vitest';
import { createSink } from '../../../bridge/handler/sink.ts';
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { routeOf, send } from './routes.ts';

test('a header of the signer stands for the one of the route that has its name, and is there once', async () => {
  const consumer = await startConsumer();
  const route = routeOf({
    url: consumer.url,
    allowPrivate: true,
    format: 'raw',
    headers: { 'x-signature': 'route', constructor: 'blue' },
  });
  const sink = createSink(route, { headers: () => ({ 'x-signature': 'signer' }), doubt() {} });
  onTestFinished(() => sink.close());
  expect(await send(sink, message())).toMatchObject({ verdict: { kind: 'answered' } });
  // Node joins what comes several times by commas.
  expect(consumer.consumed[0]?.headers).toMatchObject({
    'x-signature': 'signer',
    constructor: 'blue',
  });
});
