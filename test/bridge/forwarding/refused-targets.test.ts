// A route whose URL has a level of the topic, and devices that the handler does not know or wants no more of.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createSink } from '../../../bridge/handler/sink.ts';
import { startConsumer } from '../../support/consumer.ts';
import { message } from '../../support/messages.ts';
import { until } from '../../support/wait.ts';
import { start } from './scripted-forwarder.ts';

async function startRoute(statusOf: (device: string) => number, afterSeconds = 1) {
  const consumer = await startConsumer();
  consumer.answer = ({ target }, response) =>
    void response.writeHead(statusOf(target.split('/')[2] ?? '')).end();
  const url = `${consumer.url}devices/{2}`;
  const route = {
    url,
    format: 'raw',
    allowPrivate: true,
    retry: { baseMs: 5, capMs: 50 },
    failingMessage: { tries: 5, afterSeconds },
  } as const;
  const sink = createSink({
    ...route,
    method: 'POST',
    headers: undefined,
    maxBatchBytes: 100_000,
    timeoutMs: 5000,
    concurrency: 4,
    maxBatch: 1,
    ingest: false,
    eventVersion: 2,
  });
  const started = start(() => ({ kind: 'rejected', reason: '' }), route, sink);
  onTestFinished(async () => {
    await started.stop();
    sink.close();
  });
  return { ...started, consumer };
}

/** One message of each of so many devices, in turns. */
const rounds = (count: number, devices: number) =>
  Array.from({ length: count * devices }, (_, index) =>
    message({ topic: `d/${index % devices}/t`, text: String(index) }),
  );

test.each([410, 404, 429])(
  'a device that gets %d: the others flow, and its messages become dead letters one by one',
  async (status) => {
    const { add, settled, letters, gate, forwarder, consumer } = await startRoute((device) =>
      device === '3' ? status : 204,
    );
    const messages = rounds(20, 10);
    add(messages);
    await until(() => settled.length === 200);
    expect([gate.isOpen, forwarder.holding]).toEqual([true, undefined]);
    const refused = messages.filter(({ topic }) => topic === 'd/3/t');
    expect(letters.map((letter) => letter.message.id)).toEqual(refused.map(({ id }) => id));
    expect(letters[0]?.reason).toBe(`the handler answered ${status} for its URL`);
    // Those behind the first were not asked about.
    const payloads = consumer.consumed
      .filter(({ target }) => target === '/devices/3')
      .map(({ body }) => body.toString());
    expect(new Set(payloads)).toEqual(new Set(['3']));
  },
);

test('a device that comes back in time loses nothing', async () => {
  let status = 404;
  const { add, settled, letters } = await startRoute(
    (device) => (device === '3' ? status : 204),
    60,
  );
  const messages = rounds(5, 10);
  add(messages);
  await until(() => settled.length === 45);
  status = 204;
  await until(() => settled.length === 50);
  expect(letters).toEqual([]);
  const ofIt = messages.filter(({ topic }) => topic === 'd/3/t').map(({ id }) => id);
  expect(settled.filter((id) => ofIt.includes(id))).toEqual(ofIt);
});

test('410 for every device disables the route', async () => {
  const { add, gate, letters } = await startRoute(() => 410);
  add(rounds(1, 10));
  await until(() => !gate.isOpen);
  expect([gate.state?.kind, letters]).toEqual(['disabled', []]);
});

test('404 for every device holds the route, however long, and no message is lost', async () => {
  let status = 404;
  const { add, forwarder, letters, settled, consumer } = await startRoute(() => status);
  add(rounds(1, 10));
  await until(() => forwarder.holding !== undefined);
  const before = consumer.consumed.length;
  await delay(2000);
  expect(consumer.consumed.length).toBeGreaterThan(before);
  expect([forwarder.holding, letters]).toEqual(['the handler answered 404', []]);
  status = 204;
  await until(() => settled.length === 10);
});
