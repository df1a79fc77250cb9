// Answers that come before their request, or after it once more.
import { expect, test } from 'vitest';
import { message } from '../../support/messages.ts';
import { until } from '../../support/wait.ts';
import { delivered, head, held, rejected, startHostile, type Talk } from './hostile.ts';
import { openSink, type RouteInput, send } from './routes.ts';

const formats: readonly (readonly [string, RouteInput])[] = [
  ['a batch', {}],
  ['one message', { format: 'raw' }],
];

const large = message({ payload: Buffer.alloc(12 * 1024 * 1024, 'x') });
const takesLarge = { maxBatchBytes: 64 * 1024 * 1024 };

/** Answers at the first byte, and reads no further. */
const early =
  (text: string): Talk =>
  (socket) => {
    socket.pause();
    socket.write(text);
  };

test.each(formats)(
  '2xx before the request was read does not say that it is stored: %s',
  async (_, route) => {
    const { url } = await startHostile(early(`${head}content-length: 0\r\n\r\n`));
    const sink = await openSink({ url, ...takesLarge, timeoutMs: 500, ...route });
    expect(await send(sink, large)).toMatchObject(held);
  },
);

test.each(formats)('413 before the request was read is one: %s', async (_, route) => {
  const { url } = await startHostile(early('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n'));
  const sink = await openSink({ url, ...takesLarge, ...route });
  expect(await send(sink, large)).toMatchObject({ status: 413, ...rejected });
});

test.each(formats)(
  '2xx that comes early, from a handler that reads on, is one: %s',
  async (_, route) => {
    const { url } = await startHostile((socket) => {
      socket.write(`${head}content-length: 0\r\n\r\n`);
      socket.resume();
    });
    const sink = await openSink({ url, ...takesLarge, ...route });
    expect(await send(sink, large)).toMatchObject(delivered);
  },
);

test.each(formats)('an answer too many is not taken for the next request: %s', async (_, route) => {
  const ok = `${head}content-length: 0\r\n\r\n`;
  let isFirst = true;
  const { url, sockets } = await startHostile((socket) => {
    // Node 24.22 and later close the connection by then, and ask on another one; before, what comes too soon is passed over.
    if (!isFirst) return;
    isFirst = false;
    socket.write(ok);
    setTimeout(() => socket.write(ok), 50);
  });
  const sink = await openSink({ url, timeoutMs: 500, ...route });
  expect(await send(sink, message())).toMatchObject(delivered);
  await until(() => [...sockets].every((socket) => socket.bytesWritten === 2 * ok.length));
  // The other end is in this process: it reads before its timers run.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await send(sink, message())).toMatchObject(held);
  expect(sockets.size).toBeLessThanOrEqual(1);
});
