// The forwarder against a real HTTP handler: what becomes of messages that are refused, in part or in whole.
import { pino } from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../../bridge/config/config.ts';
import type { DeadLetterStore } from '../../../bridge/dead-letters/dead-letter-store.ts';
import { Forwarder } from '../../../bridge/forwarding/forwarder.ts';
import { Traces } from '../../../bridge/forwarding/traces.ts';
import { createSink } from '../../../bridge/handler/sink.ts';
import { createMetrics } from '../../../bridge/metrics/metrics.ts';
import type { Message } from '../../../functions/contract/message.ts';
import type { DeadLetter } from '../../../functions/table/dead-letter.ts';
import { startConsumer } from '../../support/consumer.ts';
import { openGate } from '../../support/gates.ts';
import { idleGauges } from '../../support/gauges.ts';
import { startHandler, type TestHandler } from '../../support/handler.ts';
import { ampleMemory } from '../../support/memory.ts';
import { message } from '../../support/messages.ts';
import { until } from '../../support/wait.ts';

/** A store of dead letters in memory that can be out of order. */
class MemoryDeadLetters implements DeadLetterStore {
  readonly letters: DeadLetter[] = [];
  failures = 0;

  async put(letter: DeadLetter) {
    if (this.failures-- > 0) throw new Error('out of order');
    this.letters.push(letter);
    return undefined;
  }

  async count() {
    return this.letters.length;
  }
}

let handler: TestHandler;
let deadLetters: MemoryDeadLetters;
let settled: string[];

beforeEach(async () => {
  handler = await startHandler();
  deadLetters = new MemoryDeadLetters();
  settled = [];
});
afterEach(() => handler.close());

function forwarderOf(route: Record<string, unknown> = {}) {
  const config = parseConfig({
    broker: { url: 'mqtt://127.0.0.1' },
    routes: [{ name: 'store', filter: '#', url: handler.url, allowPrivate: true, ...route }],
  });
  const [routeConfig] = config.ok ? config.value.routes : [];
  if (routeConfig === undefined) throw new Error('config');
  const sink = createSink(routeConfig);
  const metrics = createMetrics();
  const forwarder = new Forwarder({
    traces: new Traces('store', undefined),
    config: routeConfig,
    sink,
    gate: openGate(),
    deadLetters,
    memory: ampleMemory(),
    metrics: metrics.route('store', () => idleGauges),
    log: pino({ level: 'silent' }),
    isStalled: () => false,
    unacknowledged: () => 0,
  });
  onTestFinished(async () => {
    await forwarder.drain(AbortSignal.timeout(0));
    await sink.close();
  });
  const add = (...messages: Message[]) => {
    for (const one of messages)
      forwarder.add({
        message: one,
        arrivedMs: performance.now(),
        bytes: 1,
        settle: () => settled.push(one.id),
      });
  };
  return { forwarder, add, metrics };
}

const text = ({ data }: { data?: string }) => data;
const poisoned = Array.from({ length: 40 }, (_, index) =>
  message({ topic: `t/${index % 8}`, text: index === 17 ? 'poison' : `${index}` }),
);

test('the one message that makes the handler refuse a batch is found and quarantined, the rest is stored in order', async () => {
  handler.answer = ({ events }, response) => {
    response.statusCode = events.some((event) => text(event) === 'poison') ? 422 : 200;
    response.end(response.statusCode === 422 ? 'bad reading' : '');
  };
  const { add } = forwarderOf();
  add(...poisoned);
  await until(() => settled.length === 40);
  expect(deadLetters.letters).toMatchObject([
    {
      route: 'store',
      reason: 'the handler answered 422: bad reading',
      message: { id: poisoned[17]?.id },
    },
  ]);
  for (let topic = 0; topic < 8; topic++) {
    const stored = handler.stored
      .filter(({ subject }) => subject === `t/${topic}`)
      .map(({ id }) => id);
    const expected = poisoned.filter(
      (one) => one.topic === `t/${topic}` && one.id !== poisoned[17]?.id,
    );
    expect(stored).toEqual(expected.map(({ id }) => id));
  }
});

test.each([
  ['a firewall answers with 403', { format: 'cloudevents-batch' }, 403, ''],
  ['the handler answers with 404, for it knows no such device', { format: 'raw' }, 404, ''],
  ['the handler answers with 200 and a receipt that is none', {}, 200, '{"batchItemFailures":'],
])(
  '%s to one message alone: it is quarantined in the end, and the others flow',
  async (_, route, status, body) => {
    const consumer = await startConsumer();
    consumer.answer = ({ body: request }, response) => {
      if (request.includes('poison')) response.writeHead(status).end(body);
      else response.end();
    };
    const { add } = forwarderOf({
      ...route,
      url: consumer.url,
      retry: { baseMs: 1, capMs: 3 },
      failingMessage: { tries: 3, afterSeconds: 0 },
    });
    add(...poisoned);
    await until(() => settled.length === 40);
    expect(deadLetters.letters).toMatchObject([
      {
        reason: expect.stringMatching(/^the handler.*, while other messages are taken$/),
        message: { id: poisoned[17]?.id },
      },
    ]);
  },
);

test('a message that cannot be sent is told as the last error', async () => {
  const { add, forwarder } = forwarderOf({ url: `${handler.url}/{2}`, format: 'raw' });
  add(message({ topic: 'a' }));
  await until(() => settled.length === 1);
  expect(forwarder.lastError).toEqual({
    at: expect.any(String),
    reason: 'its topic has no level 2 for the URL',
  });
});

test('a message that the handler refuses by name is quarantined with its reason', async () => {
  handler.answer = ({ events }, response) => {
    const bad = events.filter((event) => text(event) === 'poison');
    const batchItemFailures = bad.map(({ id }) => ({
      itemIdentifier: id,
      reason: 'bad',
      retryable: false,
    }));
    response.end(JSON.stringify({ batchItemFailures }));
  };
  const { add, metrics } = forwarderOf();
  add(...poisoned);
  await until(() => settled.length === 40);
  expect(deadLetters.letters).toMatchObject([
    { reason: 'bad', attempts: 1, message: { id: poisoned[17]?.id } },
  ]);
  const { text: exposition } = await metrics.scrape();
  expect(exposition).toContain('causeway_delivered_messages_total{route="store"} 39');
  expect(exposition).toContain('causeway_quarantined_messages_total{route="store"} 1');
});

test('a store of dead letters that is out of order keeps the message, and its topic, until it is back', async () => {
  deadLetters.failures = 2;
  handler.answer = ({ events }, response) => {
    response.statusCode = events.some((event) => text(event) === 'poison') ? 400 : 200;
    response.end();
  };
  const { add } = forwarderOf({ maxBatch: 1 });
  const bad = message({ topic: 'a', text: 'poison' });
  const behind = message({ topic: 'a', text: 'behind' });
  add(bad, behind);
  await until(() => settled.length === 2);
  expect(settled).toEqual([bad.id, behind.id]);
  expect(deadLetters.letters).toMatchObject([{ attempts: 3 }]);
});

test('a message larger than a request becomes a dead letter and blocks nobody', async () => {
  deadLetters.failures = 1;
  const { add } = forwarderOf({ maxBatchBytes: 10_000 });
  const large = message({ topic: 'a', text: 'x'.repeat(10_000) });
  const binary = message({ topic: 'a', payload: Buffer.alloc(7600, 0xff) });
  const small = message({ topic: 'a' });
  add(large, binary, small);
  await until(() => settled.length === 3);
  expect(deadLetters.letters.map((letter) => letter.message.id).sort()).toEqual(
    [large.id, binary.id].sort(),
  );
  expect(handler.stored.map(({ id }) => id)).toEqual([small.id]);
});

test.each(['a/+', 'a\u0000', ''])(
  'a topic that a broken broker sent (%j) becomes a dead letter',
  async (topic) => {
    const { add } = forwarderOf();
    add(message({ topic }), message());
    await until(() => settled.length === 2);
    expect(deadLetters.letters).toMatchObject([{ message: { topic }, attempts: 0 }]);
    expect(handler.stored).toHaveLength(1);
  },
);

test('U+FFFD in a topic is a character like any other', async () => {
  const { add } = forwarderOf();
  add(message({ topic: 'a\ufffd' }));
  await until(() => settled.length === 1);
  expect(handler.stored).toMatchObject([{ subject: 'a\ufffd' }]);
});

test('413 splits the batch', async () => {
  handler.answer = ({ events }, response) => {
    response.statusCode = events.length > 6 ? 413 : 200;
    response.end();
  };
  const { add } = forwarderOf();
  add(...Array.from({ length: 40 }, (_, index) => message({ topic: `t/${index}` })));
  await until(() => settled.length === 40);
  expect(handler.stored).toHaveLength(40);
  expect(deadLetters.letters).toEqual([]);
});

test.each([
  [
    '301',
    (response: import('node:http').ServerResponse) =>
      response.writeHead(301, { location: '/' }).end(),
  ],
  ['401', (response: import('node:http').ServerResponse) => response.writeHead(401).end()],
  [
    'a receipt that is none',
    (response: import('node:http').ServerResponse) => response.end('{"batchItemFailures":0}'),
  ],
  ['a broken connection', (response: import('node:http').ServerResponse) => response.destroy()],
])(
  '%s holds: nothing is settled or quarantined, and it goes on when the handler is mended',
  async (_, answer) => {
    handler.answer = (__, response) => void answer(response);
    const { add, forwarder } = forwarderOf();
    add(message(), message({ topic: 'b' }));
    await until(() => forwarder.holding !== undefined);
    expect([settled, deadLetters.letters]).toEqual([[], []]);
    handler.answer = (__, response) => void response.end();
    await until(() => settled.length === 2);
    expect(forwarder.holding).toBeUndefined();
  },
);

test('an endless body ends with the time for the answer', async () => {
  handler.answer = (_, response) => {
    const timer = setInterval(() => response.write('{"batchItemFailures":['), 5);
    response.on('close', () => clearInterval(timer));
  };
  const { add, forwarder } = forwarderOf({ timeoutMs: 200 });
  add(message());
  await until(() => forwarder.holding !== undefined);
  expect(settled).toEqual([]);
});
