// Replays over the whole local stack: what is stored, or among the dead letters, goes to plain HTTP endpoints again, in order,
// marked, as fast as asked, through pauses, outages and a kill.
import { expect, test } from 'vitest';
import { type Consumed, type Consumer, startConsumer } from '../support/consumer.ts';
import { until } from '../support/wait.ts';
import {
  hookSecret,
  startStackProcess,
  startWebhookStack,
  type WebhookStack,
} from '../support/webhook-stack.ts';

/** A route to `path` of the consumer. */
function route(consumer: Consumer, name: string, handler: object = {}, rest: object = {}) {
  const url = `${consumer.url}${name}`;
  const common = { url, allowPrivate: true, secretName: hookSecret };
  return { name, filter: 'rooms/#', ...rest, handler: { ...common, ...handler } };
}

interface Event {
  readonly id: string;
  readonly subject: string;
  readonly time: string;
  readonly data: string;
  readonly replayid?: string;
}

/** The events of batches that came to `path`. */
const eventsAt = (requests: readonly Consumed[], path: string): Event[] =>
  requests
    .filter(({ target }) => target === path)
    .flatMap(({ body }) => JSON.parse(body.toString()) as Event[]);

const replayed = (events: readonly Event[]) =>
  events.filter(({ replayid }) => replayid !== undefined);
const numbersOf = (events: readonly Event[], topic: string) =>
  events.filter(({ subject }) => subject === topic).map(({ data }) => Number(data));
const upTo = (count: number) => Array.from({ length: count }, (_, number) => String(number));

async function storedAt(stack: WebhookStack, topic: string) {
  const { body } = await stack.call('GET', `/v1/messages?topic=${topic}&limit=1000&order=oldest`);
  return body.messages as { id: string; time: string }[];
}

test('original ids and times, marked in every format, in the order of each topic; nothing is stored twice', async () => {
  const consumer = await startConsumer();
  const stack = await startWebhookStack({
    routes: [
      route(consumer, 'batch'),
      route(consumer, 'event', { format: 'cloudevents' }),
      route(consumer, 'binary', { format: 'cloudevents-binary' }),
      route(consumer, 'raw', { format: 'raw' }),
    ],
  });
  const topics = ['rooms/1', 'rooms/2', 'rooms/3'];
  for (const topic of [...topics, 'halls/1']) await stack.publish(topic, ...upTo(12));
  await until(() => eventsAt(consumer.consumed, '/batch').length === 36);
  const stored = await Promise.all(topics.map((topic) => storedAt(stack, topic)));

  const asked = { filter: 'rooms/+', messagesPerSecond: 10_000 };
  const dry = await stack.replay({ ...asked, route: 'batch', dryRun: true });
  expect(await stack.replayIn(dry.id)).toMatchObject({ status: 'done', total: 36, delivered: 0 });
  expect(replayed(eventsAt(consumer.consumed, '/batch'))).toEqual([]);

  const ids: Record<string, string> = {};
  for (const name of ['batch', 'event', 'binary', 'raw', 'store']) {
    const { id } = await stack.replay({ ...asked, route: name });
    expect(await stack.replayIn(id)).toMatchObject({
      status: 'done',
      total: 36,
      delivered: 36,
      refused: 0,
    });
    ids[name] = id;
  }

  const events = replayed(eventsAt(consumer.consumed, '/batch'));
  for (const [index, topic] of topics.entries()) {
    const ofTopic = events.filter(({ subject }) => subject === topic);
    expect(ofTopic.map(({ id, time }) => ({ id, time }))).toEqual(
      stored[index]?.map(({ id, time }) => ({ id, time })),
    );
    expect(ofTopic.map(({ data }) => data)).toEqual(upTo(12));
    expect(new Set(ofTopic.map(({ replayid }) => replayid))).toEqual(new Set([ids['batch']]));
  }
  const marks = (path: string, markOf: (request: Consumed) => unknown) =>
    consumer.consumed
      .filter(({ target }) => target === path)
      .map(markOf)
      .filter((mark) => mark !== undefined);
  const all = (name: string) => Array.from({ length: 36 }, () => ids[name]);
  expect(marks('/event', ({ body }) => JSON.parse(body.toString()).replayid)).toEqual(all('event'));
  expect(marks('/binary', ({ headers }) => headers['ce-replayid'])).toEqual(all('binary'));
  expect(marks('/raw', ({ headers }) => headers['mqtt-replay-id'])).toEqual(all('raw'));
  expect(await Promise.all(topics.map((topic) => storedAt(stack, topic)))).toEqual(stored);
});

test('as fast as asked and no faster, also what is sent again; what comes meanwhile is left to the route', async () => {
  const consumer = await startConsumer();
  const stack = await startWebhookStack({ routes: [route(consumer, 'hook')] });
  await stack.publish('rooms/1', ...upTo(60));
  await until(() => eventsAt(consumer.consumed, '/hook').length === 60);
  const rate = 100;
  const maxBatch = 20;
  const seen: { atMs: number; count: number }[] = [];
  let isMeanwhile = false;
  consumer.answer = (request, response) => {
    const events = replayed(eventsAt([request], '/hook'));
    if (events.length > 0) seen.push({ atMs: performance.now(), count: events.length });
    if (seen.length === 1 && !isMeanwhile) {
      isMeanwhile = true;
      void stack.publish('rooms/1', 'meanwhile');
      // The first ten of the first batch, please again.
      const batchItemFailures = events.slice(0, 10).map(({ id }) => ({ itemIdentifier: id }));
      response.end(JSON.stringify({ batchItemFailures }));
    } else response.writeHead(204).end();
  };
  const beganMs = performance.now();
  const { id } = await stack.replay({ filter: '#', route: 'hook', messagesPerSecond: rate });
  const last = await stack.replayIn(id);
  expect(last).toMatchObject({ status: 'done', total: 60, delivered: 60 });
  expect(last.to).toMatch(/^20.*Z$/);
  let sent = 0;
  for (const { atMs, count } of seen) {
    sent += count;
    expect(sent).toBeLessThanOrEqual((rate * (atMs - beganMs)) / 1000 + maxBatch);
  }
  expect(sent).toBe(70);
});

test('a paused route and an outage of the handler are waited for and told; cancelled, nothing more is sent', async () => {
  const consumer = await startConsumer();
  const stack = await startWebhookStack({ routes: [route(consumer, 'hook')] });
  await stack.publish('rooms/1', ...upTo(30));
  await until(() => eventsAt(consumer.consumed, '/hook').length === 30);
  const got = () => replayed(eventsAt(consumer.consumed, '/hook'));

  expect((await stack.call('POST', '/v1/routes/hook/pause')).status).toBe(200);
  const asked = { filter: '#', route: 'hook', messagesPerSecond: 10_000 };
  const first = await stack.replay(asked);
  const waiting = (reason: string, id: string) =>
    until(async () => (await stack.call('GET', `/v1/replays/${id}`)).body.waiting === reason, {
      what: reason,
    });
  await waiting('the route is paused', first.id);
  expect(got()).toEqual([]);

  consumer.answer = (_, response) => void response.writeHead(503).end();
  expect((await stack.call('POST', '/v1/routes/hook/resume')).status).toBe(200);
  await waiting('the handler answered 503', first.id);
  consumer.consumed.length = 0;
  consumer.answer = (_, response) => void response.writeHead(204).end();
  const done = await stack.replayIn(first.id);
  expect(done).toMatchObject({ status: 'done', delivered: 30, refused: 0 });
  expect(done.waiting).toBeUndefined();
  expect(numbersOf(got(), 'rooms/1')).toEqual(upTo(30).map(Number));

  // Ten a second: two a request.
  consumer.consumed.length = 0;
  const second = await stack.replay({ ...asked, messagesPerSecond: 10 });
  await until(() => got().length > 0);
  const cancelled = await stack.call('POST', `/v1/replays/${second.id}/cancel`);
  expect(cancelled.body.status).toBe('cancelled');
  const sentByThen = got().length;
  const next = await stack.replay({ filter: '#', route: 'hook', dryRun: true });
  await stack.replayIn(next.id);
  expect(got().length).toBeLessThanOrEqual(sentByThen + 2);
  expect((await stack.call('GET', `/v1/replays/${second.id}`)).body.status).toBe('cancelled');
});

test('killed in the middle and started again, it goes on where it was', async () => {
  const consumer = await startConsumer();
  const input = { routes: [route(consumer, 'hook')] };
  const first = await startStackProcess(input);
  for (const topic of ['rooms/1', 'rooms/2']) await first.publish(topic, ...upTo(60));
  await until(() => eventsAt(consumer.consumed, '/hook').length === 120);
  consumer.consumed.length = 0;
  const asked = { filter: '#', route: 'hook', messagesPerSecond: 50 };
  const { id } = await first.replay(asked);
  const got = () => replayed(eventsAt(consumer.consumed, '/hook'));
  // By then more than a second has passed, and progress was written down.
  await until(() => got().length >= 80);
  await first.kill();
  const byThen = got().length;

  const second = await startStackProcess({ ...input, folder: first.folder });
  const last = await second.replayIn(id);
  expect(last).toMatchObject({ status: 'done', total: 120, delivered: 120, refused: 0 });
  const firstTimes = [...new Map(got().map((event) => [event.id, event])).values()];
  for (const topic of ['rooms/1', 'rooms/2'])
    expect(numbersOf(firstTimes, topic)).toEqual(upTo(60).map(Number));
  // It did not start over.
  expect(got()[byThen]?.id).not.toBe(got()[0]?.id);
});

test('dead letters by filter and route: taken ones are deleted, refused ones stay', async () => {
  const consumer = await startConsumer();
  const stack = await startWebhookStack({
    routes: [
      route(consumer, 'hook', { format: 'raw' }),
      route(consumer, 'other', { format: 'raw' }),
    ],
  });
  consumer.answer = (_, response) => void response.writeHead(422).end('no');
  for (const topic of ['rooms/1', 'rooms/2', 'rooms/bad']) await stack.publish(topic, '"x"');
  const letters = async () =>
    (await stack.call('GET', '/v1/dead-letters')).body.deadLetters as {
      topic: string;
      route: string;
    }[];
  await until(async () => (await letters()).length === 6);
  consumer.consumed.length = 0;
  consumer.answer = ({ headers }, response) =>
    void response.writeHead(headers['mqtt-topic'] === 'rooms/bad' ? 422 : 204).end();

  const path = '/v1/dead-letters/replay';
  const asked = { filter: 'rooms/#', route: 'hook', messagesPerSecond: 1000 };
  const dry = await stack.replay({ ...asked, dryRun: true }, path);
  expect(await stack.replayIn(dry.id)).toMatchObject({ total: 3, delivered: 0 });
  expect(consumer.consumed).toEqual([]);

  const { id } = await stack.replay(asked, path);
  expect(await stack.replayIn(id)).toMatchObject({
    status: 'done',
    total: 3,
    delivered: 2,
    refused: 1,
    refusals: [{ topic: 'rooms/bad', reason: 'the handler answered 422' }],
  });
  expect(new Set(consumer.consumed.map(({ target }) => target))).toEqual(new Set(['/hook']));
  const left = (await letters()).map(({ topic, route }) => `${topic} ${route}`).toSorted();
  expect(left).toEqual(['rooms/1 other', 'rooms/2 other', 'rooms/bad hook', 'rooms/bad other']);
});
