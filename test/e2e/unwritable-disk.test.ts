// `npm start` on a disk that takes no more files, or with too many files open: it refuses, says why, loses nothing that
// it acknowledged, and goes on by itself once it may write again.
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { databaseFolder } from '../../infra/local/database.ts';
import { allowNoMoreFiles, canLimitOpenFiles } from '../support/open-files.ts';
import { canMount, makeReadOnly } from '../support/small-disk.ts';
import { until } from '../support/wait.ts';
import { type Answered, startStackProcess } from '../support/webhook-stack.ts';

const troubles = [
  {
    name: 'a disk that has become read-only',
    available: canMount,
    begin: ({ folder }: { folder: string }) => makeReadOnly(join(folder, databaseFolder)),
    reason: /^(database|broker): .*Read-only file system/,
  },
  {
    name: 'too many open files',
    available: canLimitOpenFiles,
    begin: ({ pid }: { pid: number }) => allowNoMoreFiles(pid),
    reason: /^(database|broker): .*Too many open files/,
  },
];

/** Calls over one connection, which a process that may open no more still has. */
function connected(apiUrl: string, token: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return (method: string, path: string, body?: unknown): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const asked = request(`${apiUrl}${path}`, { agent, method, headers }, async (response) => {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

for (const { name, available, begin, reason } of troubles)
  test.skipIf(!available)(name, { timeout: 400_000 }, async () => {
    const stack = await startStackProcess({ routes: [] });
    const call = connected(stack.apiUrl, stack.token);
    const device = await mqtt.connectAsync(stack.brokerUrl, {
      protocolVersion: 4,
      clientId: 'device',
      clean: false,
      reconnectPeriod: 100,
    });
    device.on('error', () => {});
    onTestFinished(() => device.endAsync(true));
    await stack.publish('rooms/1', 'before');
    expect((await call('GET', '/readyz')).status).toBe(200);
    expect((await call('POST', '/v1/publish', { topic: 'rooms/1/cmd', payload: 'x' })).status).toBe(
      200,
    );

    const { undo } = begin(stack);
    const acknowledged: number[] = [];
    await until(
      async () => {
        const n = acknowledged.length;
        await Promise.race([
          device.publishAsync(`rooms/2/${n}`, randomBytes(200_000), { qos: 1 }).then(
            () => acknowledged.push(n),
            () => {},
          ),
          new Promise((resolve) => setTimeout(resolve, 500)),
        ]);
        const { status, body } = await call('GET', '/readyz');
        return status === 503 && body.problems.some((line: string) => reason.test(line));
      },
      { timeoutMs: 60_000, what: 'the trouble is told' },
    );
    // LevelDB opens a new file for every few megabytes.
    const command = { topic: 'rooms/1/cmd', payload: 'x'.repeat(100_000), waitFor: 'none' };
    const refused = await until(
      async () => {
        const answer = await call('POST', '/v1/publish', command);
        return answer.status >= 500 && answer;
      },
      { timeoutMs: 60_000, what: 'a command refused' },
    );
    expect(refused).toMatchObject({ status: 503, body: { code: 'database-unavailable' } });
    // What is there can still be read.
    const read = await call('GET', '/v1/messages?topic=rooms/1');
    expect(read).toMatchObject({ status: 200, body: { messages: [{ payload: 'before' }] } });

    undo();
    await until(async () => (await call('GET', '/readyz')).status === 200, {
      timeoutMs: 60_000,
      what: 'ready again',
    });
    await stack.publish('rooms/3', 'after');
    for (const n of acknowledged)
      await until(
        async () =>
          (await call('GET', `/v1/messages?topic=rooms/2/${n}`)).body.messages.length === 1,
        // The bridge holds for longer where the trouble was long.
        { timeoutMs: 120_000, what: `message ${n}, which was acknowledged` },
      );
  });
