import { setTimeout as delay } from 'node:timers/promises';
import { BatchWriteItemCommand, type PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CommandApi, caller, createCommandApi } from '../../../support/command-api.ts';
import { queueLength as queueLengthOf } from '../../../support/queue.ts';
import { engines, type TestTable } from '../../../support/table.ts';

const path = '/v1/publish';
const bulkPath = '/v1/publish/bulk';
const text = (payload: Uint8Array | undefined) => Buffer.from(payload ?? []).toString();

for (const engine of engines) {
  describe.runIf(engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    let api: CommandApi;

    beforeAll(async () => {
      table = await engine.start();
    });
    afterAll(() => table?.close());
    beforeEach(() => {
      api = createCommandApi(table);
    });
    // What one test leaves in the queue is no other's.
    afterEach(() => {
      api.bridge.fate = () => ({ kind: 'sent' });
      return api.bridge.drain();
    });

    const items = async () => {
      const { Items = [] } = await table.client.send(
        new ScanCommand({ TableName: table.tableName, ConsistentRead: true }),
      );
      return Items;
    };
    const queueLength = () => queueLengthOf(table);

    describe('what is sent', () => {
      test('all that the request says', async () => {
        const { status, headers, body } = await api.post(path, {
          topic: 'd/{commandId}/cmd',
          payload: { on: true },
          qos: 2,
          retain: true,
          contentType: 'application/json',
          userProperties: [['a', 'b']],
          responseTopic: '{topic}/answer/{commandId}',
          correlationDataBase64: 'AAE=',
          expirySeconds: 60,
        });
        expect([status, body]).toEqual([
          200,
          {
            id: expect.any(String),
            topic: 'd/{commandId}/cmd',
            status: 'sent',
            qos: 2,
            retain: true,
            createdAt: expect.any(String),
            expiresAt: new Date(Date.parse(body.createdAt) + 60_000).toISOString(),
            sentAt: expect.any(String),
          },
        ]);
        expect(headers.get('location')).toBe(`/v1/commands/${body.id}`);
        const [command] = api.bridge.published;
        expect(command).toMatchObject({
          id: body.id,
          topic: `d/${body.id}/cmd`,
          qos: 2,
          retain: true,
          deadline: body.expiresAt,
          expiresAtBroker: true,
          awaitsReply: false,
          properties: {
            contentType: 'application/json',
            userProperties: [['a', 'b']],
            responseTopic: `d/${body.id}/cmd/answer/${body.id}`,
          },
        });
        expect(Buffer.from(command?.properties.correlationData ?? [])).toEqual(Buffer.from([0, 1]));
      });

      test.each([
        ['"text"', 'text'],
        ['"\\u00fc\\n"', 'ü\n'],
        ['""', ''],
        ['21.50', '21.50'],
        ['null', 'null'],
        ['9007199254740993', '9007199254740993'],
        ['1e400', '1e400'],
        ['{"a":1,"a":2}', '{"a":1,"a":2}'],
        ['{"__proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
        [' [ 1 ,\n2\t] ', '[ 1 ,\n2\t]'],
        [`${'['.repeat(100)}${']'.repeat(100)}`, `${'['.repeat(100)}${']'.repeat(100)}`],
      ])('the payload %s as it was written', async (payload, sent) => {
        expect((await api.post(path, `{"topic":"a","payload":${payload}}`)).status).toBe(200);
        expect(text(api.bridge.published[0]?.payload)).toBe(sent);
        await api.post(bulkPath, `[ {"payload":${payload},"topic":"a"} ]`);
        expect(text(api.bridge.published[1]?.payload)).toBe(sent);
      });

      test('bytes, also more than an item holds', async () => {
        const payload = Buffer.alloc(700_000, 'no text: \xff', 'latin1');
        const body = { topic: 'a', payloadBase64: payload.toString('base64') };
        expect((await api.post(path, body)).status).toBe(200);
        const sent = Buffer.from(api.bridge.published[0]?.payload ?? []);
        expect(sent.equals(payload)).toBe(true);
      });
    });

    describe('refused, and nothing is recorded', () => {
      let before: number;
      beforeEach(async () => {
        before = (await items()).length;
      });
      afterEach(async () => {
        expect((await items()).length).toBe(before);
        expect(api.bridge.requests).toEqual([]);
      });

      test.each([
        ['a member twice', '{"topic":"a","topic":"b","payload":1}', 'topic', 'must be given once'],
        [
          'the payload twice, once escaped',
          '{"topic":"a","payload":1,"p\\u0061yload":2}',
          'payload',
          'must be given once',
        ],
        [
          'a payload of 101 levels',
          `{"topic":"a","payload":${'['.repeat(101)}${']'.repeat(101)}}`,
          'payload',
          'must be nested at most 100 levels deep',
        ],
        [
          'a payload of 500,000 levels',
          `{"topic":"a","payload":${'{"a":'.repeat(170_000)}1${'}'.repeat(170_000)}}`,
          'payload',
          'must be nested at most 100 levels deep',
        ],
        [
          'a topic of the broker',
          { topic: '$SYS/x', payload: 1 },
          'topic',
          expect.stringMatching(/^must not start with \$: .*4\.7\.2-1/),
        ],
        [
          'a response topic of the broker',
          { topic: 'a', payload: 1, responseTopic: '$SYS/x' },
          'responseTopic',
          expect.stringMatching(/^must not start with \$: .*4\.7\.2-1/),
        ],
        [
          'a response topic that becomes too long',
          { topic: 'x'.repeat(60_000), payload: 1, responseTopic: '{topic}/{topic}' },
          'responseTopic',
          expect.stringMatching(/65535 bytes/),
        ],
        [
          'properties that no item holds',
          {
            topic: 'a',
            payload: 1,
            userProperties: Array.from({ length: 5 }, () => ['n', 'v'.repeat(65_000)]),
          },
          'userProperties',
          expect.stringMatching(/307200 bytes/),
        ],
      ])('%s', async (_, body, field, rule) => {
        const { status, body: answer } = await api.post(path, body);
        expect([status, answer.code, answer.errors]).toEqual([
          400,
          'invalid-request',
          [{ field, rule }],
        ]);
      });

      test.each(['', 'a b', 'ü', 'k'.repeat(256)])('the Idempotency-Key %j', async (key) => {
        const headers = { 'idempotency-key': key };
        const { status, body } = await api.post(path, { topic: 'a', payload: 1 }, headers);
        expect([status, body.errors?.[0].field]).toEqual([400, 'idempotency-key']);
      });

      test.each([
        ['another topic', ['publish:b'], {}],
        ['the right to read alone', ['read:#', 'delete:#'], {}],
        ['a response topic', ['publish:a', 'publish:b/+'], { responseTopic: 'b/c/d' }],
        ['the response topic filled in', ['publish:a'], { responseTopic: '{topic}/{commandId}' }],
        ['the topic filled in', ['publish:a/{commandId}'], { topic: 'a/{commandId}' }],
        ['deleting what is retained', ['publish:a'], { retain: true, payload: '' }],
      ])('no right to %s', async (_, scopes, fields) => {
        const request = { topic: 'a', payload: 'x', ...fields };
        const headers = { ...caller(...scopes), 'idempotency-key': 'forbidden' };
        expect(await api.post(path, request, headers)).toMatchObject({
          status: 403,
          body: { code: 'forbidden' },
        });
      });

      test.each([
        [[], /at least one/],
        [Array.from({ length: 1001 }, () => ({ topic: 'a', payload: 1 })), /at most 1000/],
        [{ topic: 'a', payload: 1 }, /array/],
      ])('in bulk %#', async (body, rule) => {
        const { status, body: answer } = await api.post(bulkPath, body);
        expect([status, answer.errors[0].rule]).toEqual([400, expect.stringMatching(rule)]);
      });
    });

    test('with the rights it is sent', async () => {
      const may = caller('publish:a/+', 'delete:a/b');
      const answer = await api.post(path, { topic: 'a/b', payload: '', retain: true }, may);
      expect(answer.status).toBe(200);
    });

    describe('what is waited for', () => {
      const send = (fields: object) => api.post(path, { topic: 'w', payload: 'x', ...fields });

      test('nothing: 202, and the bridge is woken all the same', async () => {
        const { status, headers, body } = await send({ waitFor: 'none' });
        expect([status, headers.get('location')]).toEqual([202, `/v1/commands/${body.id}`]);
        expect(api.bridge.requests).toEqual([
          { commands: [{ id: body.id, waitFor: 'none' }], timeoutMs: 0 },
        ]);
      });

      test('the broker', async () => {
        api.bridge.fate = () => ({ kind: 'sent', hadSubscribers: false });
        const { status, body } = await send({ timeoutSeconds: 3 });
        expect([status, body.status, body.hadSubscribers]).toEqual([200, 'sent', false]);
        expect(api.bridge.requests[0]).toMatchObject({
          commands: [{ waitFor: 'broker' }],
          timeoutMs: 3000,
        });
      });

      test('the broker, in vain', async () => {
        api.bridge.fate = () => ({ kind: 'left' });
        const { status, headers, body } = await send({});
        expect([status, body.status]).toEqual([202, 'pending']);
        expect(headers.get('location')).toBe(`/v1/commands/${body.id}`);
      });

      test('a bridge that is away: 202, and it is sent later', async () => {
        api.bridge.away = true;
        expect(await send({})).toMatchObject({ status: 202, body: { status: 'pending' } });
        expect(await queueLength()).toBe(1);
        await api.bridge.drain();
        expect(api.bridge.published).toHaveLength(1);
      });

      test('a bridge that sent it and was lost before it said so: what the ledger says', async () => {
        api.bridge.deliver = async (): Promise<undefined> => api.bridge.drain() as never;
        expect(await send({})).toMatchObject({ status: 200, body: { status: 'sent' } });
        expect(await send({ waitFor: 'reply' })).toMatchObject({
          status: 202,
          body: { status: 'sent' },
        });
      });

      test('an answer of the bridge that has nothing of the command is none', async () => {
        api.bridge.deliver = async () => [{ id: 'another', status: 'sent' }];
        expect(await send({})).toMatchObject({ status: 202, body: { status: 'pending' } });
      });

      test('a reply, byte for byte', async () => {
        api.bridge.fate = () => ({
          kind: 'answered',
          reply: {
            payloadBase64: Buffer.from('{"n": 9007199254740993}').toString('base64'),
            contentType: 'application/json',
            userProperties: [['a', 'b']],
          },
        });
        const { status, body, text: json } = await send({ waitFor: 'reply' });
        expect([status, body.status]).toEqual([200, 'answered']);
        expect(body.reply).toMatchObject({
          topic: `causeway/replies/${body.id}`,
          contentType: 'application/json',
          userProperties: [['a', 'b']],
        });
        expect(json).toContain('"payload":{"n": 9007199254740993}');
        const [command] = api.bridge.published;
        expect(command).toMatchObject({
          awaitsReply: true,
          properties: { responseTopic: `causeway/replies/${body.id}` },
        });
        expect(command?.properties.correlationData).toHaveLength(16);
        expect(JSON.parse((await api.get(`/v1/commands/${body.id}`)).text).reply).toEqual(
          body.reply,
        );
      });

      test('a reply in vain: 202, sent', async () => {
        const answer = await send({ waitFor: 'reply' });
        expect(answer).toMatchObject({ status: 202, body: { status: 'sent' } });
      });

      test('a bridge that knows less than the ledger changes nothing', async () => {
        const request = { topic: 'w', payload: 'x', waitFor: 'reply' };
        const headers = { 'idempotency-key': 'knows-less' };
        const first = await api.post(path, request, headers);
        api.bridge.deliver = async () => [{ id: first.body.id, status: 'pending' }];
        const second = await api.post(path, request, headers);
        expect([second.status, second.text]).toEqual([202, first.text]);
      });

      test('replies have topics and correlation data of their own', async () => {
        api = createCommandApi(table, { replyTopic: '{topic}/response/{commandId}' });
        await send({ waitFor: 'reply' });
        await send({ waitFor: 'reply', responseTopic: 'mine' });
        const [first, second] = api.bridge.published;
        expect(first?.properties.responseTopic).toBe(`w/response/${first?.id}`);
        expect(second?.properties.responseTopic).toBe('mine');
        expect(first?.properties.correlationData).not.toEqual(second?.properties.correlationData);
      });

      test('a refused one', async () => {
        api.bridge.fate = () => ({ kind: 'refused', detail: 'not authorized (0x87)' });
        const { status, headers, body } = await send({});
        expect([status, headers.get('content-type')]).toEqual([502, 'application/problem+json']);
        expect(body).toMatchObject({
          code: 'broker-refused',
          detail: 'not authorized (0x87)',
          command: { id: expect.any(String), status: 'failed' },
        });
      });

      test('one that expires meanwhile', async () => {
        api.bridge.deliver = async () => {
          api.aheadMs = 2000;
          return undefined;
        };
        expect(await send({ expirySeconds: 1 })).toMatchObject({
          status: 504,
          body: { code: 'command-expired', command: { status: 'expired' } },
        });
        expect(await send({ expirySeconds: 1, waitFor: 'none' })).toMatchObject({ status: 202 });
      });
    });

    describe('with an Idempotency-Key', () => {
      let count = 0;
      let key: string;
      beforeEach(() => {
        key = `key-${++count}`;
      });
      const send = (fields: object = {}, headers: Record<string, string> = {}) =>
        api.post(
          path,
          { topic: 'i', payload: 'x', ...fields },
          { 'idempotency-key': key, ...headers },
        );
      /** An api whose writes stop before the one that `stops` names, as where its process dies. */
      const dying = (stops: (item: Record<string, unknown>) => boolean) => {
        const client = new Proxy(table.client, {
          get(target, name) {
            if (name !== 'send') return Reflect.get(target, name);
            return async (command: PutItemCommand | { input: { RequestItems?: object } }) => {
              const { Item, RequestItems = {} } = command.input as PutItemCommand['input'] & {
                RequestItems?: Record<string, { PutRequest?: { Item: typeof Item } }[]>;
              };
              const puts = [
                Item,
                ...Object.values(RequestItems).flatMap((requests) =>
                  Array.isArray(requests) ? requests.map(({ PutRequest }) => PutRequest?.Item) : [],
                ),
              ];
              if (puts.some((item) => item !== undefined && stops(item)))
                throw Object.assign(new Error('the process died'), { code: 'ECONNRESET' });
              return target.send(command as PutItemCommand);
            };
          },
        });
        return createCommandApi(table, { client });
      };
      const inPartition = (start: string) => (item: Record<string, unknown>) =>
        (item['pk'] as { S: string }).S.startsWith(start);

      test('50 at once are one command, and get equal answers', async () => {
        const answers = await Promise.all(Array.from({ length: 50 }, () => send()));
        expect(new Set(answers.map(({ status, text: json }) => `${status} ${json}`)).size).toBe(1);
        expect(answers[0]).toMatchObject({ status: 200, body: { status: 'sent' } });
        expect(api.bridge.published).toHaveLength(1);
        expect(await queueLength()).toBe(0);
      });

      test('50 at once that wait for a reply get the same one', async () => {
        api.bridge.fate = () => ({ kind: 'answered', reply: { payloadBase64: 'eA==' } });
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => send({ waitFor: 'reply' })),
        );
        expect(new Set(answers.map(({ status, text: json }) => `${status} ${json}`)).size).toBe(1);
        expect(answers[0]?.body.reply.payload).toBe('x');
        expect(api.bridge.published).toHaveLength(1);
      });

      test('later it gives the state as it is then', async () => {
        api.bridge.away = true;
        const first = await send();
        expect([first.status, first.body.status]).toEqual([202, 'pending']);
        api.bridge.away = false;
        const second = await send();
        expect([second.status, second.body.status]).toEqual([200, 'sent']);
        expect(second.body.id).toBe(first.body.id);
        const third = await send();
        expect(third.text).toBe(second.text);
        // What has been reached nobody has to be asked for.
        expect(api.bridge.requests).toHaveLength(2);
        expect(api.bridge.published).toHaveLength(1);
      });

      test('and another body it is a conflict', async () => {
        await send();
        expect(await send({ payload: 'y' })).toMatchObject({
          status: 409,
          body: { code: 'idempotency-conflict' },
        });
        expect(api.bridge.published).toHaveLength(1);
      });

      test('of another caller it is another key', async () => {
        const mine = await send();
        const theirs = await send({ payload: 'y' }, caller('publish:i'));
        expect([mine.status, theirs.status]).toEqual([200, 200]);
        expect(theirs.body.id).not.toBe(mine.body.id);
      });

      test('after a day it is a new key', async () => {
        const first = await send();
        api.aheadMs = 24 * 3600 * 1000 + 1000;
        const second = await send({ payload: 'y' });
        expect(second.status).toBe(200);
        expect(second.body.id).not.toBe(first.body.id);
      });

      test('a caller that died after the claim is taken over', async () => {
        const dead = await dying(inPartition('commands/')).post(
          path,
          { topic: 'i', payload: 'x' },
          { 'idempotency-key': key },
        );
        expect(dead.status).toBe(503);
        expect(await send()).toMatchObject({ status: 200, body: { status: 'sent' } });
        expect(api.bridge.published).toHaveLength(1);
      });

      test('a caller that died between ledger and queue is taken over', async () => {
        const dead = await dying(inPartition('queue/')).post(
          path,
          { topic: 'i', payload: 'x', waitFor: 'reply', expirySeconds: 60 },
          { 'idempotency-key': key },
        );
        expect(dead.status).toBe(503);
        expect(await queueLength()).toBe(0);
        api.bridge.fate = () => ({ kind: 'answered', reply: { payloadBase64: 'eA==' } });
        const answer = await send({ waitFor: 'reply', expirySeconds: 60 });
        expect(answer).toMatchObject({ status: 200, body: { status: 'answered' } });
        const [command] = api.bridge.published;
        expect(command?.deadline).toBe(answer.body.expiresAt);
        // The reply is told by what the ledger has.
        const ledger = (await items()).find(({ sk }) => sk?.S === answer.body.id);
        expect(ledger?.['correlationData']?.B).toEqual(command?.properties.correlationData);
      });

      test('a request that comes while another is still recording waits for that one', async () => {
        const slow = createCommandApi(table, {
          client: new Proxy(table.client, {
            get(target, name) {
              if (name !== 'send') return Reflect.get(target, name);
              return async (command: PutItemCommand) => {
                if (JSON.stringify(command.input).includes('queue/')) await delay(300);
                return target.send(command);
              };
            },
          }),
        });
        const request = { topic: 'i', payload: 'x' };
        const headers = { 'idempotency-key': key };
        const answers = await Promise.all([
          slow.post(path, request, headers),
          slow.post(path, request, headers),
        ]);
        expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        expect(slow.bridge.published).toHaveLength(1);
      });
    });

    describe('in bulk', () => {
      test('1,000 commands are sent in order per topic, with one call to the bridge', async () => {
        const commands = Array.from({ length: 1000 }, (_, index) => ({
          topic: `bulk/${index % 100}`,
          payload: index,
        }));
        const { status, body } = await api.post(bulkPath, commands);
        expect(status).toBe(200);
        expect(body.results).toHaveLength(1000);
        for (const [index, result] of body.results.entries()) {
          expect(result).toMatchObject({
            status: 200,
            command: { topic: `bulk/${index % 100}`, status: 'sent' },
          });
        }
        expect(api.bridge.requests).toHaveLength(1);
        for (let topic = 0; topic < 100; topic++) {
          const sent = api.bridge.published.filter((command) => command.topic === `bulk/${topic}`);
          expect(sent.map(({ payload }) => Number(text(payload)))).toEqual(
            Array.from({ length: 10 }, (_, round) => topic + 100 * round),
          );
        }
      });

      test('a bridge that looks into the queue meanwhile sees no command before an earlier one', async () => {
        // As where DynamoDB is short of capacity: the first half of every call is left unprocessed.
        const halving = new Proxy(table.client, {
          get(target, name) {
            if (name !== 'send') return Reflect.get(target, name);
            return async (command: BatchWriteItemCommand) => {
              const requests = command.input.RequestItems?.[table.tableName];
              if (!Array.isArray(requests) || requests.length < 2) return target.send(command);
              const middle = Math.floor(requests.length / 2);
              const written = requests.slice(middle);
              await target.send(
                new BatchWriteItemCommand({ RequestItems: { [table.tableName]: written } }),
              );
              await api.bridge.drain();
              return { UnprocessedItems: { [table.tableName]: requests.slice(0, middle) } };
            };
          },
        });
        api = createCommandApi(table, { client: halving });
        const commands = Array.from({ length: 30 }, (_, index) => ({
          topic: `race/${index % 3}`,
          payload: index,
        }));
        const { body } = await api.post(bulkPath, commands);
        expect(body.results.every(({ status }: { status: number }) => status === 200)).toBe(true);
        for (let topic = 0; topic < 3; topic++) {
          const sent = api.bridge.published.filter((command) => command.topic === `race/${topic}`);
          expect(sent.map(({ payload }) => Number(text(payload)))).toEqual(
            Array.from({ length: 10 }, (_, round) => topic + 3 * round),
          );
        }
      });

      test('each has its own answer', async () => {
        api.bridge.fate = ({ topic }) =>
          topic === 'refused'
            ? { kind: 'refused', detail: 'no' }
            : topic === 'left'
              ? { kind: 'left' }
              : { kind: 'answered', reply: { payloadBase64: '/w==' } };
        const { status, body } = await api.post(
          bulkPath,
          `[
            {"topic":"good","payload":1,"waitFor":"reply"},
            {"topic":"bad/+","payload":1},
            {"topic":"good","topic":"twice","payload":1},
            7,
            {"topic":"hidden","payload":1},
            {"topic":"refused","payload":1},
            {"topic":"left","payload":1},
            {"topic":"good","payload":1,"waitFor":"none"}
          ]`,
          caller('publish:good', 'publish:refused', 'publish:left'),
        );
        expect(status).toBe(200);
        expect(body.results).toMatchObject([
          { status: 200, command: { status: 'answered', reply: { payloadBase64: '/w==' } } },
          { status: 400, problem: { errors: [{ field: 'topic' }] } },
          { status: 400, problem: { errors: [{ field: 'topic', rule: 'must be given once' }] } },
          { status: 400, problem: { errors: [{ field: '' }] } },
          { status: 403, problem: { code: 'forbidden' } },
          { status: 502, problem: { code: 'broker-refused', command: { status: 'failed' } } },
          { status: 202, command: { status: 'pending' } },
          { status: 202, command: { topic: 'good' } },
        ]);
        expect(body.results[0].command.reply).not.toHaveProperty('payload');
      });

      test('a bridge that is away: all are pending, or as the ledger says', async () => {
        api.bridge.deliver = async (): Promise<undefined> => api.bridge.drain() as never;
        api.bridge.fate = ({ topic }) => ({ kind: topic === 'left' ? 'left' : 'sent' });
        const commands = ['left', 'sent'].map((topic) => ({ topic, payload: 1 }));
        const { body } = await api.post(bulkPath, commands);
        expect(body.results.map(({ status }: { status: number }) => status)).toEqual([202, 200]);
      });

      test('what the database does not take is said of each', async () => {
        const failing = new Proxy(table.client, {
          get(target, name) {
            if (name !== 'send') return Reflect.get(target, name);
            return async (command: BatchWriteItemCommand) => {
              const [first] = command.input.RequestItems?.[table.tableName] ?? [];
              if (first?.PutRequest?.Item?.['topic']?.S === 'lost') throw new Error('lost');
              return target.send(command);
            };
          },
        });
        api = createCommandApi(table, { client: failing });
        const many = (topic: string) => Array.from({ length: 25 }, () => ({ topic, payload: 1 }));
        const { body } = await api.post(bulkPath, [...many('lost'), ...many('kept')]);
        const statuses = body.results.map(({ status }: { status: number }) => status);
        expect(statuses).toEqual([...Array(25).fill(503), ...Array(25).fill(200)]);
        expect(api.bridge.published.map(({ topic }) => topic)).toEqual(Array(25).fill('kept'));
      });

      test('with an Idempotency-Key all at once are the same commands, in order', async () => {
        const headers = { 'idempotency-key': 'bulk' };
        const commands = Array.from({ length: 20 }, (_, payload) => ({ topic: 'ib', payload }));
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => api.post(bulkPath, commands, headers)),
        );
        expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
        expect(answers[0]?.body.results[0]).toMatchObject({ status: 200 });
        expect(api.bridge.published.map(({ payload }) => Number(text(payload)))).toEqual(
          commands.map(({ payload }) => payload),
        );
        const other = await api.post(bulkPath, commands.slice(1), headers);
        expect(other.body.results).toHaveLength(19);
        expect(other.body.results[0]).toMatchObject({
          status: 409,
          problem: { code: 'idempotency-conflict' },
        });
      });

      test('with an Idempotency-Key what a dead caller left undone is done in order', async () => {
        const headers = { 'idempotency-key': 'bulk-dead' };
        const commands = Array.from({ length: 5 }, (_, payload) => ({ topic: 'id', payload }));
        const deadClient = new Proxy(table.client, {
          get(target, name) {
            if (name !== 'send') return Reflect.get(target, name);
            return async (command: PutItemCommand) => {
              const json = JSON.stringify(command.input);
              // The ledger gets some, the queue none.
              const isOf = (start: string) => json.includes(`"S":"${start}`);
              if (isOf('queue/') || (isOf('commands/') && Math.random() < 0.4))
                throw Object.assign(new Error('the process died'), { code: 'ECONNRESET' });
              return target.send(command);
            };
          },
        });
        const dead = createCommandApi(table, { client: deadClient });
        await dead.post(bulkPath, commands, headers);
        const { body } = await api.post(bulkPath, commands, headers);
        expect(body.results.every(({ status }: { status: number }) => status === 200)).toBe(true);
        expect(api.bridge.published.map(({ payload }) => Number(text(payload)))).toEqual(
          commands.map(({ payload }) => payload),
        );
      });

      test('replies that are too much for one answer are left out', async () => {
        const reply = { payloadBase64: Buffer.alloc(200_000, 'x').toString('base64') };
        api.bridge.fate = () => ({ kind: 'answered', reply });
        const commands = Array.from({ length: 30 }, () => ({
          topic: 'much',
          payload: 1,
          waitFor: 'reply',
        }));
        const { text: json, body } = await api.post(bulkPath, commands);
        expect(json.length).toBeLessThan(5 * 1024 * 1024);
        const { results } = body as { results: { command: { status: string; reply?: object } }[] };
        expect(results.every(({ command }) => command.status === 'answered')).toBe(true);
        expect(results.filter(({ command }) => command.reply !== undefined)).toHaveLength(20);
      });
    });

    test('what the database did not take is said', async () => {
      const lost = createCommandApi({ ...table, tableName: 'missing' });
      expect(await lost.post(path, { topic: 'a', payload: 1 })).toMatchObject({
        status: 503,
        body: { code: 'database-unavailable' },
      });
    });
  });
}
