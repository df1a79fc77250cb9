// Handlers that answer wrongly or endlessly: each answer is bounded and ends in the right verdict.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { message } from '../../support/messages.ts';
import { until } from '../../support/wait.ts';
import {
  delivered,
  flood,
  head,
  held,
  rejected,
  say,
  startHostile,
  type Talk,
  thenEnd,
  trickle,
} from './hostile.ts';
import { openSink, send } from './routes.ts';

const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
const page = '<h1>Welcome</h1>';
const receipt = '{"batchItemFailures":[]}';
const compressed = (encoding: string, body: Buffer) =>
  say(`${head}content-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`, body);

const answers: readonly (readonly [what: string, talk: Talk, batch: object, one: object])[] = [
  ['nothing at all', thenEnd(say()), held, held],
  ['garbage', say('\u0000\u0001\u0002 what?\r\n\r\n'), held, held],
  ['another protocol', say('SSH-2.0-OpenSSH_9.2p1\r\n'), held, held],
  ['HTTP/2', say('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), held, held],
  ['a status that is none', say('HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n'), held, held],
  ['headers without end', (socket) => flood(socket, 'x-a: b\r\n'.repeat(1000), head), held, held],
  ['one header without end', (socket) => flood(socket, 'x'.repeat(8000), `${head}x: `), held, held],
  [
    'a header of 64 KB',
    say(`${head}x: ${'x'.repeat(65_536)}\r\ncontent-length: 0\r\n\r\n`),
    held,
    held,
  ],
  ['headers byte by byte', trickle(`${head}x: `), held, held],
  ['a body byte by byte', trickle(`${head}content-length: 100000\r\n\r\n`), held, delivered],
  [
    'a body without end',
    (socket) => flood(socket, ' '.repeat(65_536), `${head}\r\n`),
    held,
    delivered,
  ],
  [
    'chunks without end',
    (socket) =>
      flood(
        socket,
        '10000\r\n'.concat(' '.repeat(65_536), '\r\n'),
        `${head}transfer-encoding: chunked\r\n\r\n`,
      ),
    held,
    delivered,
  ],
  [
    'a chunk extension without end',
    (socket) => flood(socket, 'x'.repeat(8000), `${head}transfer-encoding: chunked\r\n\r\n1;`),
    held,
    delivered,
  ],
  [
    'trailers',
    say(`${head}transfer-encoding: chunked\r\ntrailer: x\r\n\r\n0\r\nx: 1\r\n\r\n`),
    delivered,
    delivered,
  ],
  [
    'trailers without end',
    (socket) =>
      flood(socket, 'x-a: b\r\n'.repeat(1000), `${head}transfer-encoding: chunked\r\n\r\n0\r\n`),
    held,
    delivered,
  ],
  [
    'interim answers without end',
    (socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)),
    held,
    held,
  ],
  [
    '"continue" without end',
    (socket) => flood(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)),
    held,
    held,
  ],
  [
    'an interim answer and the real one',
    say('HTTP/1.1 103 Early Hints\r\n\r\n', `${head}content-length: 0\r\n\r\n`),
    delivered,
    delivered,
  ],
  [
    '"continue", which nobody asked for, and the real one',
    say('HTTP/1.1 100 Continue\r\n\r\n', `${head}content-length: 0\r\n\r\n`),
    delivered,
    delivered,
  ],
  [
    'another protocol for the connection',
    say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    held,
    held,
  ],
  ['two lengths', say(`${head}content-length: 0\r\ncontent-length: 5\r\n\r\n`), held, held],
  [
    'a length beside chunks',
    say(`${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
    held,
    held,
  ],
  [
    'a body that is cut',
    thenEnd(say(`${head}content-length: 40\r\n\r\n{"batchItem`)),
    held,
    delivered,
  ],
  [
    'chunks that are cut',
    thenEnd(say(`${head}transfer-encoding: chunked\r\n\r\n5\r\n  `)),
    held,
    delivered,
  ],
  [
    'a compressed bomb',
    thenEnd(say(`${head}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`, bomb)),
    held,
    delivered,
  ],
  [
    'a page',
    thenEnd(say(`${head}content-type: text/html\r\n\r\n<h1>Welcome</h1>`)),
    delivered,
    delivered,
  ],
  ['half a receipt', thenEnd(say(`${head}\r\n{"batchItem`)), held, delivered],
  ['a compressed page', thenEnd(compressed('gzip', gzipSync(page))), delivered, delivered],
  ['a page by brotli', thenEnd(compressed('br', brotliCompressSync(page))), delivered, delivered],
  ['a receipt by gzip', thenEnd(compressed('gzip', gzipSync(receipt))), held, delivered],
  ['what is no gzip', thenEnd(compressed('gzip', Buffer.from('OK'))), held, delivered],
  ['an unknown compression', thenEnd(compressed('dcb', gzipSync(page))), held, delivered],
  ['nothing, compressed', thenEnd(compressed('gzip', Buffer.alloc(0))), delivered, delivered],
  [
    'a page of 2 MB',
    thenEnd(say(`${head}\r\n`, '<p>Welcome</p>'.repeat(150_000))),
    delivered,
    delivered,
  ],
  [
    'a receipt of 2 MB',
    thenEnd(say(`${head}\r\n`, `${receipt}${' '.repeat(2 * 1024 * 1024)}`)),
    held,
    delivered,
  ],
  [
    'failures behind 2 MB',
    thenEnd(
      say(`${head}\r\n{"results":"${'x'.repeat(2 * 1024 * 1024)}","batchItem`, 'Failures":[]}'),
    ),
    held,
    delivered,
  ],
  [
    'a refusal without end',
    (socket) => flood(socket, 'no '.repeat(20_000), 'HTTP/1.1 422 No\r\n\r\n'),
    rejected,
    rejected,
  ],
  [
    'a refusal byte by byte',
    trickle('HTTP/1.1 422 No\r\ncontent-length: 100000\r\n\r\nno'),
    rejected,
    rejected,
  ],
  [
    'a refusal that is cut',
    thenEnd(say('HTTP/1.1 422 No\r\ncontent-length: 40\r\n\r\nno such room')),
    rejected,
    rejected,
  ],
  [
    'a failure without end',
    (socket) => flood(socket, 'no '.repeat(20_000), 'HTTP/1.1 503 No\r\n\r\n'),
    held,
    held,
  ],
];

/** What ends by the time limit alone gets little of it, and everything else enough for a busy machine. */
function timeoutMsFor(what: string, expected: object): number {
  if (!what.endsWith('byte by byte') || expected === delivered) return 10_000;
  return expected === rejected ? 1000 : 300;
}

test.each(answers)('%s', async (what, talk, batch, one) => {
  const cases = [
    [batch, {}],
    [one, { format: 'raw' }],
  ] as const;
  await Promise.all(
    cases.map(async ([expected, route]) => {
      const { url, sockets } = await startHostile(talk);
      const sink = await openSink({ url, timeoutMs: timeoutMsFor(what, expected), ...route });
      expect(await send(sink, message())).toMatchObject(expected);
      sink.close();
      await until(() => sockets.size === 0);
    }),
  );
});

test('a refusal is told as far as it came, in whole characters', async () => {
  const reason = `é${'x'.repeat(500)}`;
  const { url } = await startHostile(
    thenEnd(say('HTTP/1.1 422 No\r\ncontent-length: 999999\r\n\r\n', reason)),
  );
  const sink = await openSink({ url });
  expect(await send(sink, message())).toMatchObject({
    status: 422,
    verdict: { reason: `the handler answered 422: ${reason.slice(0, 200)}` },
  });
});

test.each([
  ['a batch', head, {}],
  ['one message', head, { format: 'raw' }],
  ['a refusal', 'HTTP/1.1 422 No\r\n', {}],
] as const)('no more is read of an answer than is needed: %s', async (_, start, route) => {
  let sent = { written: 0 };
  const { url, sockets } = await startHostile((socket) => {
    sent = flood(socket, ' '.repeat(65_536), `${start}\r\n`);
  });
  const sink = await openSink({ url, maxBatch: 1, ...route });
  await send(sink, message());
  await until(() => sockets.size === 0);
  // What the kernel takes for both sides is the most of it.
  expect(sent.written).toBeLessThan(32 * 1024 * 1024);
});

test.each(['HTTP/1.1 100 Continue', 'HTTP/1.1 103 Early Hints'])(
  'nobody waits for the end of: %s',
  async (interim) => {
    const { url } = await startHostile((socket) => flood(socket, `${interim}\r\n\r\n`.repeat(100)));
    const sink = await openSink({ url });
    expect(await send(sink, message())).toMatchObject({
      verdict: { kind: 'hold', reason: 'more than 8 interim answers' },
    });
  },
);
