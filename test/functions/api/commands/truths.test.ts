// What the api says of commands is true, and said at once: limits, replies that cannot come, a bridge that is silent,
// and what failed anywhere.
import type { BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rulesOf } from '../../../../bridge/config/profile-settings.ts';
import { anyBroker } from '../../../../functions/contract/broker-rules.ts';
import { maxBase64PayloadBytes } from '../../../../functions/contract/command.ts';
import { type CommandApi, caller, createCommandApi } from '../../../support/command-api.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

let table: TestTable;

beforeAll(async () => {
  table = await startTable();
});
afterAll(() => table.close());

const publish = (api: CommandApi, body: object, ...scopes: string[]) =>
  api.post('/v1/publish', { payload: 'x', ...body }, scopes.length === 0 ? {} : caller(...scopes));

describe('levels', () => {
  test('have a bound at every broker, and the one of ours where that is known', async () => {
    const topic = (levels: number) => Array(levels).fill('a').join('/');
    const any = createCommandApi(table);
    expect((await publish(any, { topic: topic(128) })).status).toBe(200);
    for (const body of [
      { topic: topic(129) },
      { topic: 'a', responseTopic: topic(129) },
      { topic: 'a', responseTopic: `${topic(128)}/{commandId}`, waitFor: 'reply' },
    ])
      expect((await publish(any, body)).body).toMatchObject({
        code: 'invalid-request',
        errors: [{ rule: expect.stringMatching(/at most 128 levels/) }],
      });
    const own = createCommandApi(table, { brokerRules: { ...anyBroker, maxTopicLevels: 32 } });
    expect((await publish(own, { topic: topic(42) })).body.errors).toEqual([
      { field: 'topic', rule: expect.stringMatching(/at most 32 levels/) },
    ]);
  });
});

describe('waitFor "reply" on a broker with MQTT 3.1.1 only', () => {
  const old = (replyTopic?: string) =>
    createCommandApi(table, {
      brokerRules: rulesOf({ protocolVersion: 4 }),
      ...(replyTopic !== undefined && { replyTopic }),
    });

  test.each([
    [{ topic: 'a' }, undefined, /must be given/],
    [{ topic: 'a/{commandId}' }, undefined, /must be given/],
    [{ topic: 'a', responseTopic: 'replies' }, undefined, /must contain \{commandId\}/],
    [{ topic: 'a', responseTopic: '{topic}/re' }, undefined, /must contain \{commandId\}/],
    [{ topic: 'a' }, 'fixed/replies', /must contain \{commandId\}/],
  ])('%j with the configured topic %s is refused at once', async (body, replyTopic, rule) => {
    const api = old(replyTopic);
    const answer = await publish(api, { ...body, waitFor: 'reply' });
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ field: 'responseTopic', rule: expect.stringMatching(rule) }],
    ]);
    expect(api.bridge.requests).toEqual([]);
  });

  test('is taken where the device can know where to answer', async () => {
    for (const api of [old(), old('{topic}/reply/{commandId}')]) {
      api.bridge.fate = () => ({ kind: 'answered', reply: { payloadBase64: '' } });
      const body = { topic: 'a/{commandId}', waitFor: 'reply' };
      const responseTopic = 'r/{commandId}';
      expect((await publish(api, { ...body, responseTopic })).status).toBe(200);
    }
    const api = old('{topic}/reply/{commandId}');
    api.bridge.fate = () => ({ kind: 'answered', reply: { payloadBase64: '' } });
    expect((await publish(api, { topic: 'a', waitFor: 'reply' })).status).toBe(200);
  });

  test('is a matter of the broker, not of all', async () => {
    expect(rulesOf({}).responseTopics).toBeUndefined();
    expect(rulesOf({ profile: 'nats', protocolVersion: 5 }).responseTopics).toBe(false);
    expect(rulesOf({ profile: 'aws-iot', protocolVersion: 5 }).responseTopics).toBeUndefined();
  });
});

test('a payload that fits as base64 fits; one that does not is told what does', async () => {
  const api = createCommandApi(table);
  const body = (bytes: number) => ({
    topic: 'a',
    payload: undefined,
    payloadBase64: Buffer.alloc(bytes).toString('base64'),
  });
  expect((await publish(api, body(maxBase64PayloadBytes))).status).toBe(200);
  const refused = await publish(api, body(900_000));
  expect([refused.status, refused.body.detail]).toEqual([
    413,
    expect.stringContaining(String(maxBase64PayloadBytes)),
  ]);
});

describe('a bridge that does its work and does not answer', () => {
  test.each(['broker', 'reply'] as const)('waitFor %s: the ledger tells', async (waitFor) => {
    const api = createCommandApi(table);
    api.bridge.fate = () =>
      waitFor === 'broker'
        ? { kind: 'sent' }
        : { kind: 'answered', reply: { payloadBase64: 'MjE=' } };
    let hasEnded = false;
    api.bridge.deliver = async (_, signal) => {
      await api.bridge.drain();
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      hasEnded = true;
      return undefined;
    };
    const sinceMs = performance.now();
    const answer = await publish(api, { topic: 'a', waitFor, timeoutSeconds: 20 });
    expect(answer.status).toBe(200);
    expect(performance.now() - sinceMs).toBeLessThan(10_000);
    expect(hasEnded).toBe(true);
  });
});

describe('in bulk the replies are told, also where not the bridge but the ledger has them', () => {
  const bulk = async (api: CommandApi, count: number) => {
    const commands = Array.from({ length: count }, (_, n) => ({
      topic: 'a',
      payload: n,
      waitFor: 'reply',
    }));
    const { body } = await api.post('/v1/publish/bulk', commands);
    return body.results as { status: number; command: { reply?: { payload: unknown } } }[];
  };

  test.each([
    ['has done its work and cannot be asked', () => undefined],
    [
      'does not answer',
      async (signal?: AbortSignal) =>
        new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve())),
    ],
  ])('a bridge that %s', async (_, answering) => {
    const api = createCommandApi(table);
    api.bridge.fate = ({ payload }) => ({
      kind: 'answered',
      reply: { payloadBase64: Buffer.from(payload).toString('base64') },
    });
    api.bridge.deliver = async (_request, signal) => {
      await api.bridge.drain();
      await answering(signal);
      return undefined;
    };
    const results = await bulk(api, 30);
    expect(results.map(({ command }) => command.reply?.payload)).toEqual(
      Array.from({ length: 30 }, (__, n) => n),
    );
  });

  test('as many as an answer holds, and no more are read than that takes', async () => {
    const read: number[] = [];
    const client = new Proxy(table.client, {
      get(target, name) {
        if (name !== 'send') return Reflect.get(target, name);
        return async (command: BatchGetItemCommand) => {
          const answer = await target.send(command);
          const { ProjectionExpression, Keys = [] } =
            command.input.RequestItems?.[table.tableName] ?? {};
          if (ProjectionExpression?.includes('reply')) read.push(Keys.length);
          return answer;
        };
      },
    });
    const api = createCommandApi(table, { client });
    const payloadBase64 = Buffer.alloc(200_000, 'x').toString('base64');
    api.bridge.fate = () => ({ kind: 'answered', reply: { payloadBase64 } });
    api.bridge.deliver = async () => {
      await api.bridge.drain();
      return undefined;
    };
    const results = await bulk(api, 60);
    expect(results.filter(({ command }) => command.reply !== undefined)).toHaveLength(20);
    expect(results.every(({ status }) => status === 200)).toBe(true);
    expect(read).toEqual([25]);
  });
});

test('that it had subscribers is never said', async () => {
  const api = createCommandApi(table);
  // As older bridges write it.
  api.bridge.fate = () => ({ kind: 'sent', hadSubscribers: true });
  expect((await publish(api, { topic: 'a' })).body).not.toHaveProperty('hadSubscribers');
  api.bridge.fate = () => ({ kind: 'sent', hadSubscribers: false });
  expect((await publish(api, { topic: 'a' })).body.hadSubscribers).toBe(false);
});

describe('GET /v1/commands of all topics', () => {
  test('lists those of all topics that the caller may see, newest first, page by page', async () => {
    const api = createCommandApi(table);
    api.bridge.fate = ({ topic }) =>
      topic.endsWith('/bad') ? { kind: 'refused', detail: 'no' } : { kind: 'sent' };
    const ids: string[] = [];
    for (let index = 0; index < 6; index++) {
      const { body } = await publish(api, { topic: `mine/${index}/bad` });
      ids.push(body.command.id);
      await publish(api, { topic: `theirs/${index}/bad` });
      await publish(api, { topic: `mine/${index}/good` });
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const path = `/v1/commands?status=failed&limit=4${cursor}`;
      const { status, body } = await api.get(path, caller('read:mine/#'));
      expect(status).toBe(200);
      for (const one of body.commands) {
        expect(one).toMatchObject({ status: 'failed', error: { code: 'broker-refused' } });
        seen.push(one.id);
      }
      cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids.toReversed());
    const all = await api.get('/v1/commands?status=failed&limit=100');
    expect(all.body.commands).toHaveLength(12);
    expect((await api.get('/v1/commands?status=expired')).body).toEqual({ commands: [] });
  });

  test('those that wait to be sent are read from the queue, with their topics together', async () => {
    const api = createCommandApi(table);
    api.bridge.away = true;
    const ids = new Set<string>();
    for (const topic of ['waits/a', 'waits/b', 'waits/a', 'hidden', 'waits/c', 'waits/a']) {
      const { body } = await publish(api, { topic, waitFor: 'none' });
      if (topic !== 'hidden') ids.add(body.id);
    }
    const seen: { id: string; topic: string }[] = [];
    let cursor = '';
    do {
      const path = `/v1/commands?status=pending&limit=2${cursor}`;
      const { body } = await api.get(path, caller('read:waits/#'));
      seen.push(...body.commands);
      cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(new Set(seen.map(({ id }) => id))).toEqual(ids);
    expect(seen).toHaveLength(ids.size);
    const ofA = seen.flatMap(({ topic }, index) => (topic === 'waits/a' ? [index] : []));
    expect(Math.max(...ofA) - Math.min(...ofA)).toBe(2);
    const newest = ofA.map((index) => seen[index]?.id ?? '');
    expect(newest).toEqual(newest.toSorted().toReversed());
    api.bridge.away = false;
    await api.bridge.drain();
    expect((await api.get('/v1/commands?status=pending')).body).toEqual({ commands: [] });
  });

  test.each(['', '?status=sent'])('%s needs a topic', async (query) => {
    const { status, body } = await createCommandApi(table).get(`/v1/commands${query}`);
    expect([status, body.errors]).toEqual([
      400,
      [{ field: 'topic', rule: expect.stringMatching(/failed, expired/) }],
    ]);
  });
});
