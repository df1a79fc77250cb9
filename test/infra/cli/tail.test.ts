// `npx causeway tail` as a process: what it asks for and prints, and its end where nobody reads that.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

test('messages as lines, until nobody reads them any more', async () => {
  const message = { id: '1', topic: 'rooms/kitchen', time: '2026-01-01T00:00:00.000000Z' };
  const asked: unknown[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push([url, headers.authorization]);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const data = JSON.stringify({ ...message, payload: { celsius: 21.5 } });
    const timer = setInterval(() => response.write(`event: message\ndata: ${data}\n\n`), 10);
    response.once('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const args = ['--import', 'tsx', 'infra/cli/tail.ts', 'rooms/#'];
  const tail = spawn(process.execPath, [...args, '--url', `http://127.0.0.1:${port}`], {
    env: { ...process.env, CAUSEWAY_TOKEN: 'secret' },
  });
  onTestFinished(() => {
    tail.kill('SIGKILL');
    server.close();
    server.closeAllConnections();
  });
  let errors = '';
  tail.stderr.on('data', (part) => {
    errors += part;
  });
  const [line] = await once(createInterface(tail.stdout), 'line');
  expect(line).toContain('rooms/kitchen  {"celsius":21.5}');
  tail.stdout.destroy();
  const [code] = await once(tail, 'exit');
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(asked).toEqual([['/v1/messages/live?filter=rooms%2F%23', 'Bearer secret']]);
});
