// What `npm run export` does, against the API's own endpoints over HTTP: cut off, refused and ended in the middle.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../functions/api/api.ts';
import { createCursors } from '../../../functions/api/interface/cursor.ts';
import { messageEndpoints } from '../../../functions/api/messages/endpoints.ts';
import { createReader } from '../../../functions/api/messages/reader.ts';
import { createStore } from '../../../functions/ingest/storing/message-store.ts';
import { exportTo } from '../../../infra/cli/export-client.ts';
import { readExportOptions } from '../../../infra/cli/export-options.ts';
import { CommandError } from '../../../infra/cli/run-command.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { message } from '../../support/messages.ts';
import { principal } from '../../support/principals.ts';
import { startTable } from '../../support/table.ts';

const table = await startTable();
afterAll(() => table.close());

const everything = principal('everything', { read: '#' });
const api = createApi({
  endpoints: messageEndpoints(createReader(table), createCursors('a secret of the tests')),
  authenticate: async (token) => (token === 'good' ? everything : undefined),
});
const folder = temporaryFolder('export');
const serve = getRequestListener(api.fetch);

/** What becomes of the next requests: a number is a status, `cut` an answer whose end is missing. */
let fates: ('cut' | number)[] = [];
let requests = 0;
let server: Server;
let url = '';
let ids: string[] = [];

beforeAll(async () => {
  const startMs = Date.now() - 100_000;
  const messages = Array.from({ length: 30 }, (_, index) =>
    message({
      topic: `rooms/${Math.floor(index / 10)}`,
      time: new Date(startMs + index).toISOString().replace('Z', '000Z'),
      text: 'x'.repeat(300_000),
    }),
  );
  ids = messages.map(({ id }) => id);
  expect(await createStore({ ...table, retentionDays: 30 }).put(messages)).toEqual([]);
  server = createServer((request, response) => {
    requests++;
    const fate = fates.shift();
    if (fate === undefined) void serve(request, response);
    else if (fate === 'cut') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"id":"of a', () => response.destroy());
    } else response.writeHead(fate, { 'retry-after': '0' }).end();
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const run = (out: string, options: { filter?: string; token?: string } = {}) =>
  exportTo(
    { url, filter: 'rooms/#', token: 'good', from: undefined, to: undefined, out, ...options },
    { onWritten: () => {}, retryMs: 1 },
  );

const idsIn = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).id);

test('what was cut off or refused for a while is asked for once more', async () => {
  const out = join(folder, 'retried.ndjson');
  fates = ['cut', 429, 503];
  const { bytes, answers } = await run(out);
  expect(idsIn(out)).toEqual(ids);
  expect(bytes).toBe(readFileSync(out).length);
  expect(answers).toBeGreaterThan(2);
});

test('what has ended in the middle goes on behind its last whole part, whatever stands behind that', async () => {
  const out = join(folder, 'resumed.ndjson');
  const answered = requests;
  // One part, and then nothing for longer than it is tried.
  const ended = exportTo(
    { url, filter: 'rooms/#', token: 'good', from: undefined, to: undefined, out },
    { onWritten: () => (fates = Array(10).fill('cut')), retryMs: 1 },
  );
  await expect(ended).rejects.toMatchObject({ message: expect.stringContaining(url) });
  expect(requests - answered).toBe(11);
  const begun = idsIn(out);
  expect(begun).toEqual(ids.slice(0, begun.length));
  expect(begun.length).toBeLessThan(ids.length);
  writeFileSync(out, 'half a part', { flag: 'a' });

  await expect(run(out, { filter: 'other/#' })).rejects.toThrow('something else');
  await run(out);
  expect(idsIn(out)).toEqual(ids);
  // It is complete, and not written over.
  await expect(run(out)).rejects.toThrow('must not exist yet');
});

test('CSV by the name of the file, with one head', async () => {
  const out = join(folder, 'rows.csv');
  await run(out);
  const rows = readFileSync(out, 'utf8').trimEnd().split('\r\n');
  expect([rows.length, rows[0]?.startsWith('time,topic,payload')]).toEqual([31, true]);
});

test('what the API refuses for good is told at once, with its fields', async () => {
  const before = requests;
  const out = join(folder, 'filter.ndjson');
  const refused = run(out, { filter: 'a/#/b' });
  await expect(refused).rejects.toThrow(/\n {2}--filter /);
  const token = run(join(folder, 'token.ndjson'), { token: 'bad' });
  await expect(token).rejects.toThrow(CommandError);
  expect(requests - before).toBe(2);
  // Nothing has been written: the mended command begins.
  await run(out, { filter: 'rooms/0' });
  expect(idsIn(out)).toEqual(ids.slice(0, 10));
});

test('all that is wrong with the options is told', () => {
  const read = readExportOptions({ args: ['surplus', '--out', '', '--bogus'], environment: {} });
  expect(read).toMatchObject({ kind: 'faulty', problems: { length: 5 } });
});
