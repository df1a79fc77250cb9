// Connections between requests: kept, and not for so long that a request meets one that the handler is closing.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { message } from '../../support/messages.ts';
import { openSink, send } from './routes.ts';

test('a connection is given up before the time is over that the handler announces', async () => {
  // It announces, and never closes one itself.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    request.resume();
    response.writeHead(204, { connection: 'keep-alive', 'keep-alive': 'timeout=2' }).end();
  });
  const port = await listenDuringTest(server);
  const connected = once(server, 'connection');
  const sink = await openSink({
    url: `http://127.0.0.1:${port}/`,
  });
  expect(await send(sink, message())).toMatchObject({ status: 204 });
  const [socket] = await connected;
  await once(socket, 'close');
});

test('a request that waits for a connection has its whole time when it gets one', async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    // The first one gets no answer, and takes the connection for all of its time.
    if (++requests > 1) response.writeHead(204).end();
  });
  const port = await listenDuringTest(server);
  const sink = await openSink({
    url: `http://127.0.0.1:${port}/`,
    concurrency: 1,
    timeoutMs: 1000,
  });
  const [first, second] = await Promise.all([send(sink, message()), send(sink, message())]);
  expect(first.verdict).toMatchObject({ kind: 'hold', reason: 'no answer within 1000 ms' });
  expect(second).toMatchObject({ status: 204, verdict: { kind: 'answered' } });
});
