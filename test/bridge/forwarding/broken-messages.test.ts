// What is thrown on a message's way, and any message before any handler: the process lives, and all are accounted for.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createSink, type Sink } from '../../../bridge/handler/sink.ts';
import type { Verdict } from '../../../bridge/handler/verdict.ts';
import type { Message } from '../../../functions/contract/message.ts';
import type { DeadLetter } from '../../../functions/table/dead-letter.ts';
import { anyMessage, message } from '../../support/messages.ts';
import { fc } from '../../support/property.ts';
import { down, type Script, taken } from '../../support/scripted-sink.ts';
import { until } from '../../support/wait.ts';
import { routeOf } from '../handler/routes.ts';
import { expectOrder, isPoison, many, start } from './scripted-forwarder.ts';

test('a message on whose way something is thrown is found, and quarantined with the reason', async () => {
  const throwing: Script = (messages) => {
    if (messages.some(isPoison)) throw new RangeError('Invalid string length');
    return taken;
  };
  const { sink, letters, settled, add, stop } = start(throwing, { maxBatch: 50 });
  onTestFinished(stop);
  const messages = many(200, 20, [70, 71, 130]);
  add(messages);
  await until(() => settled.length === 200);
  expect(letters.map(({ message: { id } }) => id).sort()).toEqual(
    [70, 71, 130].map((index) => messages[index]?.id).sort(),
  );
  expect(letters[0]?.reason).toBe('the bridge fails on it: RangeError: Invalid string length');
  expectOrder(messages, sink);
});

test('what is thrown twice is no message’s fault', async () => {
  const seen: Message[] = [];
  const { letters, settled, add, stop } = start(
    ([only]) => {
      if (only !== undefined && seen.filter((one) => one === only).length < 2) {
        seen.push(only);
        throw new Error('now and then');
      }
      return taken;
    },
    { maxBatch: 1 },
  );
  onTestFinished(stop);
  add(many(50, 50));
  await until(() => settled.length === 50);
  expect(letters).toEqual([]);
});

test('a message that cannot be looked at becomes a dead letter without what cannot be written', async () => {
  const { letters, settled, add, stop } = start(() => taken);
  onTestFinished(stop);
  const odd = [
    { userProperties: 5 },
    { correlationData: { byteLength: 3 } },
    { userProperties: [['a']], contentType: 7n },
  ].map((properties) => message({ properties: properties as never }));
  add([...odd, message()]);
  await until(() => settled.length === 4);
  // Of the last one the handler made nothing, and took it: what it is sent is its own.
  expect(letters.length).toBeGreaterThan(0);
  for (const letter of letters) {
    expect(letter.reason).toMatch(/^the bridge fails on it: .*; its properties cannot be kept: /);
    expect(letter.message.properties).toBeUndefined();
  }
});

test('a settlement that throws stops nobody else’s', async () => {
  const { forwarder, settled, add, stop } = start(() => taken, { maxBatch: 10 });
  onTestFinished(stop);
  forwarder.add({
    message: message({ topic: 't/0' }),
    arrivedMs: performance.now(),
    bytes: 1,
    settle() {
      throw new Error('gone');
    },
  });
  add(many(30, 30));
  await until(() => settled.length === 30);
});

/** What a handler may say, and what may be thrown instead. */
const answers = fc.array(
  fc.constantFrom(
    'taken',
    'down',
    'rejected',
    'final',
    'fails',
    'fails for good',
    'throws',
    'late',
  ),
  { minLength: 5, maxLength: 40 },
);

test('whatever handlers say and whatever is thrown, every message is settled or held, and settled in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      answers,
      fc.array(anyMessage, { minLength: 5, maxLength: 30 }),
      fc.integer({ min: 1, max: 12 }),
      async (said, any, maxBatch) => {
        const left = [...said];
        const delivered = new Set<string>();
        const script: Script = async (messages) => {
          const verdict = await sayOf(left.shift() ?? 'taken', messages);
          if (verdict.kind === 'answered')
            for (const { id } of messages) if (!verdict.failures.has(id)) delivered.add(id);
          return verdict;
        };
        const { letters, settled, add, stop } = start(script, { maxBatch });
        const messages = any.map((one, index) => ({ ...one, id: `m-${index}` }));
        add(messages);
        await until(() => settled.length === messages.length);
        await stop();
        expectAccounted(messages, settled, letters, delivered);
      },
    ),
    { numRuns: 40 },
  );
});

async function sayOf(said: string, messages: readonly Message[]): Promise<Verdict> {
  const failing = (retryable: boolean): Verdict => ({
    kind: 'answered',
    duplicates: 0,
    failures: new Map(
      messages
        .filter((_, index) => index % 2 === 0)
        .map(({ id }) => [id, { itemIdentifier: id, retryable }]),
    ),
  });
  if (said === 'throws') throw new TypeError('thrown');
  if (said === 'late') await new Promise((resolve) => setTimeout(resolve, 2));
  if (said === 'down') return down;
  if (said === 'rejected') return { kind: 'rejected', reason: 'no' };
  if (said === 'final') return { kind: 'rejected', reason: 'no', final: true };
  if (said === 'fails') return failing(true);
  if (said === 'fails for good') return failing(false);
  return taken;
}

/** Every message is settled once, and there is a reason for it: somebody took it, or it is a dead letter. */
function expectAccounted(
  messages: readonly Message[],
  settled: readonly string[],
  letters: readonly DeadLetter[],
  delivered: ReadonlySet<string>,
) {
  expect([...settled].sort()).toEqual(messages.map(({ id }) => id).sort());
  const dead = new Map(letters.map((letter) => [letter.message.id, letter]));
  for (const { id, payload } of messages) {
    if (delivered.has(id)) continue;
    expect(dead.get(id)?.reason).toMatch(/./);
    expect(Buffer.from(dead.get(id)?.message.payload ?? []).equals(payload)).toBe(true);
  }
}

/** Answers at random: any status, receipts that are wrong, answers that are cut off. */
function startRandomHandler(random: () => number, delivered: Set<string>) {
  const isWell = { now: false };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const ids = (JSON.parse(Buffer.concat(chunks).toString()) as { id: string }[]).map(
      ({ id }) => id,
    );
    const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
    if (isWell.now || random() < 0.3) {
      response.on('finish', () => {
        for (const id of ids) delivered.add(id);
      });
      return void response.end();
    }
    const failed = ids.filter(() => random() < 0.5);
    const entry = (id: string) => ({ itemIdentifier: id, retryable: pick([true, false, 'maybe']) });
    if (random() < 0.2) return void request.socket.destroy();
    // 410 turns the route off until somebody acts, and that is not what is tried here.
    const status = pick([
      200, 200, 201, 204, 301, 400, 401, 404, 408, 413, 422, 429, 500, 503, 599,
    ]);
    const body = pick([
      '',
      '{',
      'null',
      '{"batchItemFailures":[{"itemIdentifier":"nobody"}]}',
      JSON.stringify({ batchItemFailures: failed.map(entry) }),
      'x'.repeat(100_000),
    ]);
    response.on('finish', () => {
      if (status >= 300) return;
      if (status === 204 || !body.startsWith('{"b')) for (const id of ids) delivered.add(id);
      else for (const id of ids) if (!failed.includes(id)) delivered.add(id);
    });
    response.writeHead(status, random() < 0.2 ? { 'retry-after': '0' } : {});
    if (random() < 0.2) {
      response.write(body.slice(0, 5));
      return void request.socket.destroy();
    }
    response.end(status === 204 ? '' : body);
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, isWell };
}

test('the same over HTTP, with messages of any size and form', async () => {
  const delivered = new Set<string>();
  const [first] = fc.sample(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), 1);
  if (first === undefined) throw new Error('no numbers');
  const random = () => first.next().value;
  const { server, isWell } = startRandomHandler(random, delivered);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sink: Sink = createSink(
    routeOf({ url, allowPrivate: true, maxBatchBytes: 300_000, timeoutMs: 1000 }),
  );
  const { letters, settled, add, stop } = start(() => taken, { maxBatch: 20 }, sink);
  onTestFinished(async () => {
    await stop();
    sink.close();
  });
  const odd: Message[] = [
    message({ payload: Buffer.alloc(150_000) }),
    message({ payload: Buffer.alloc(1_000_000) }),
    message({ payload: Buffer.alloc(250_000, 0xff) }),
    message({ text: '"'.repeat(200_000) }),
    message({ topic: 'a\ufffd' }),
    message({ topic: 'a/#' }),
    message({ topic: '' }),
    message({ topic: 'x'.repeat(65_535) }),
    message({ properties: { userProperties: [['\x01'.repeat(60_000), '"'.repeat(60_000)]] } }),
    message({ properties: { userProperties: 5 as never } }),
  ];
  const messages = [...fc.sample(anyMessage, 150), ...odd].map((one, index) => ({
    ...one,
    id: `m-${index}`,
  }));
  add(messages);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  isWell.now = true;
  await until(() => settled.length === messages.length);
  expectAccounted(messages, settled, letters, delivered);
});
