// What clients send of bodies has a bound for all together: those that began first and wait are closed.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import { type ListenOptions, listen } from '../../../bridge/base/listen.ts';
import { until } from '../../support/wait.ts';

const size = 100_000;

/** A server that answers with the length of the body. */
async function started(limits: ListenOptions): Promise<{ url: string; port: number }> {
  const app = new Hono();
  app.post('/', async (context) => {
    const body = await context.req.arrayBuffer().catch(() => undefined);
    return context.text(String(body?.byteLength));
  });
  app.post('/refused', (context) => context.text('no', 401));
  const { url, close } = await listen(app, '127.0.0.1', 0, limits);
  onTestFinished(close);
  return { url, port: Number(new URL(url).port) };
}

/** Sends all of a body but its last byte. */
function sendHalf(port: number, head = `Content-Length: ${size}`, path = '/'): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.resume();
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
  if (head.startsWith('Transfer')) socket.write(`${size.toString(16)}\r\n`);
  socket.write(Buffer.alloc(size - 1));
  return socket;
}

test.each([`Content-Length: ${size}`, 'Transfer-Encoding: chunked'])(
  'bodies that do not come whole, %s: the first are closed, others are answered',
  async (head) => {
    const { url, port } = await started({ maxPartialBodiesBytes: 10 * size });
    const closed: number[] = [];
    const sockets: Socket[] = [];
    for (let number = 0; number < 30; number++) {
      const socket = sendHalf(port, head);
      socket.once('close', () => closed.push(number));
      sockets.push(socket);
      // The first to connect begins first.
      await once(socket, 'connect');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => closed.length >= 20);
    const whole = await fetch(url, { method: 'POST', body: Buffer.alloc(size) });
    expect(await whole.text()).toBe(String(size));
    expect(Math.min(...[...sockets.keys()].filter((one) => !closed.includes(one)))).toBeGreaterThan(
      10,
    );
  },
);

test('bodies that are whole, or refused and not kept, take no room', async () => {
  const { url, port } = await started({ maxPartialBodiesBytes: 3 * size });
  const waiting = sendHalf(port);
  await once(waiting, 'connect');
  for (let call = 0; call < 20; call++) {
    const whole = await fetch(url, { method: 'POST', body: Buffer.alloc(size) });
    expect(await whole.text()).toBe(String(size));
    const [answer] = await once(sendHalf(port, `Content-Length: ${size}`, '/refused'), 'data');
    expect(String(answer)).toContain('401');
  }
  expect(waiting.destroyed).toBe(false);
});

test.each([
  [200, 'keep-alive'],
  [413, 'close'],
  [503, 'keep-alive'],
] as const)('after an answer with %i, the connection: %s', async (status, connection) => {
  const app = new Hono().get('/', (context) => context.text('', status));
  const { url, close } = await listen(app, '127.0.0.1', 0);
  onTestFinished(close);
  expect((await fetch(url)).headers.get('connection')).toBe(connection);
});
