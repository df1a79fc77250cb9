// What happened to a message, over the whole local stack: asked for by its id while it waits and once it is settled,
// after a restart, until it expires, and where the database does not take it.
import { createServer, request } from 'node:http';
import { GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { tracePartition } from '../../functions/table/trace-item.ts';
import { clientOf } from '../../infra/local/database.ts';
import { type Consumer, startConsumer } from '../support/consumer.ts';
import { listenDuringTest } from '../support/listen-during-test.ts';
import { startTable } from '../support/table.ts';
import { until } from '../support/wait.ts';
import { hookSecret, startWebhookStack, type WebhookStack } from '../support/webhook-stack.ts';

const tableName = 'causeway-messages';

/** A route that gives single messages to a path of the consumer that is named like it. */
function route(consumer: Consumer, name: string, filter: string) {
  const common = { allowPrivate: true, secretName: hookSecret, format: 'raw' } as const;
  const handler = { url: `${consumer.url}${name}`, ...common };
  return { name, filter, handler, retry: { baseMs: 10, capMs: 50 } };
}

/** The id that a message on `topic` has in the route `name`, once that has tried it. */
async function idIn(consumer: Consumer, name: string, topic: string): Promise<string> {
  const sent = await until(
    () =>
      consumer.consumed.find(
        ({ target, headers }) => target === `/${name}` && headers['mqtt-topic'] === topic,
      ),
    { what: `${topic} at ${name}` },
  );
  return String(sent.headers['mqtt-message-id']);
}

const traceOf = async (stack: WebhookStack, id: string, query = '') =>
  stack.call('GET', `/v1/messages/trace?id=${encodeURIComponent(id)}${query}`);

/** The traces of a message, once the first of them is in this state. */
const tracesIn = (stack: WebhookStack, id: string, state: string) =>
  until(
    async () => {
      const { body } = await traceOf(stack, id);
      return body.traces?.[0]?.state === state ? body : undefined;
    },
    { what: `a trace that is ${state}` },
  );

test('a message that was held and then delivered, in one of its two routes; no trouble, no trace', async () => {
  const consumer = await startConsumer();
  const stack = await startWebhookStack({
    routes: [route(consumer, 'hook', 'rooms/#'), route(consumer, 'calm', 'rooms/1')],
  });
  let isAway = true;
  let tried = 0;
  consumer.answer = ({ target }, response) => {
    const fails = target === '/hook' && (isAway || tried < 2);
    if (target === '/hook') tried++;
    response.writeHead(fails ? 503 : 204).end();
  };
  await stack.publish('rooms/1', '"x"');
  const id = await idIn(consumer, 'hook', 'rooms/1');

  const waiting = await tracesIn(stack, id, 'waiting');
  expect(waiting.traces).toMatchObject([{ route: 'hook', topic: 'rooms/1' }]);
  expect(waiting.traces[0].attempts[0]).toMatchObject({
    status: 503,
    verdict: 'held',
    messages: 1,
  });
  expect(waiting.traces[0].settledAt).toBeUndefined();
  const holding = waiting.routes.find(({ name }: { name: string }) => name === 'hook');
  expect(holding).toMatchObject({ state: 'holding', reason: 'the handler answered 503' });
  isAway = false;

  const delivered = await tracesIn(stack, id, 'delivered');
  const [{ tries, attempts, time, settledAt }] = delivered.traces;
  expect(tries).toBeGreaterThanOrEqual(3);
  expect(attempts.at(0)).toMatchObject({ status: 503, reason: 'the handler answered 503' });
  expect(attempts.at(-1)).toMatchObject({ status: 204, verdict: 'delivered' });
  expect([time < attempts[0].at, attempts.at(-1).at <= settledAt]).toEqual([true, true]);
  expect(attempts.map(({ at }: { at: string }) => at)).toEqual(
    attempts.map(({ at }: { at: string }) => at).toSorted(),
  );
  expect(delivered.traces).toHaveLength(1);
  const names = delivered.routes.map(({ name }: { name: string }) => name);
  expect(names.toSorted()).toEqual(['calm', 'hook', 'store']);

  const calmId = await idIn(consumer, 'calm', 'rooms/1');
  expect((await traceOf(stack, calmId)).status).toBe(404);
  const calm = await traceOf(stack, calmId, '&topic=rooms/1');
  expect([calm.status, calm.body.traces]).toEqual([200, []]);
  expect(calm.body.routes).toContainEqual(
    expect.objectContaining({ name: 'calm', state: 'active', deliveredMessages: 1 }),
  );
});

test('a refused message, by its id and by that of its dead letter; over a restart, until it expires', async () => {
  const consumer = await startConsumer();
  consumer.answer = (_, response) => void response.writeHead(422).end('no');
  const input = { routes: [route(consumer, 'hook', 'rooms/#')], retentionDays: 3 };
  const first = await startWebhookStack(input);
  await first.publish('rooms/1', '"x"');
  const id = await idIn(consumer, 'hook', 'rooms/1');
  const { traces } = await tracesIn(first, id, 'quarantined');
  expect(traces).toMatchObject([{ route: 'hook', attempts: [{ status: 422 }] }]);
  expect(traces[0].attempts[0].verdict).toBe('rejected');
  const [letter] = (await first.call('GET', '/v1/dead-letters')).body.deadLetters;
  const byLetter = await traceOf(first, letter.id);
  expect(byLetter.body).toMatchObject({ messageId: id, traces });
  await first.stop();

  const second = await startWebhookStack({ ...input, folder: first.folder });
  expect((await traceOf(second, id)).body.traces).toEqual(traces);

  const client = clientOf(second.database.reach);
  onTestFinished(() => client.destroy());
  const place = {
    TableName: tableName,
    Key: { pk: { S: tracePartition(id) }, sk: { S: 'hook' } },
  };
  const { Item } = await client.send(new GetItemCommand(place));
  const seconds = Math.floor(Date.parse(traces[0].time) / 1000);
  expect(Number(Item?.['expiresAt']?.N)).toBe(seconds + 3 * 86_400);
  await client.send(
    new UpdateItemCommand({
      ...place,
      UpdateExpression: 'SET expiresAt = :past',
      ExpressionAttributeValues: { ':past': { N: String(Math.floor(Date.now() / 1000) - 1) } },
    }),
  );
  expect((await traceOf(second, id)).status).toBe(404);
});

test('a trace that the database does not take is counted, and keeps no message from being delivered', async () => {
  const consumer = await startConsumer();
  consumer.answer = (_, response) =>
    void response.writeHead(consumer.consumed.length > 2 ? 204 : 503).end();
  const databaseUrl = await databaseWithoutTraces();
  const stack = await startWebhookStack({
    routes: [route(consumer, 'hook', 'rooms/#')],
    databaseUrl,
  });
  const lost = async () => {
    const text = await (await fetch(`${stack.bridgeUrl}/metrics`)).text();
    return Number(/^causeway_traces_lost_total (\d+)$/m.exec(text)?.[1]);
  };
  expect(await lost()).toBe(0);
  await stack.publish('rooms/1', '"x"');
  await until(() => consumer.consumed.length === 3);
  await until(async () => (await lost()) === 1, { what: 'a lost trace' });
  expect((await traceOf(stack, await idIn(consumer, 'hook', 'rooms/1'))).status).toBe(404);
});

/** A DynamoDB that refuses to write traces, as one does whose role does not allow it. */
async function databaseWithoutTraces(): Promise<string> {
  const table = await startTable();
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isWrite = String(incoming.headers['x-amz-target']).endsWith('BatchWriteItem');
    if (isWrite && body.includes(tracePartition(''))) {
      const __type = 'com.amazonaws.dynamodb.v20120810#AccessDeniedException';
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type, message: 'not allowed' }));
      return;
    }
    const { method, headers } = incoming;
    const passedOn = request(table.endpoint, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    passedOn.on('error', () => response.destroy());
    passedOn.end(body);
  });
  onTestFinished(() => table.close());
  return `http://127.0.0.1:${await listenDuringTest(server)}`;
}
