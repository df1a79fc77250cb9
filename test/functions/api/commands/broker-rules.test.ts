// The rules of the broker at POST /v1/publish: what it would not take is refused before it is recorded.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { profileOf } from '../../../../bridge/config/profiles/profiles.ts';
import { type CommandApi, caller, createCommandApi } from '../../../support/command-api.ts';
import { queueLength } from '../../../support/queue.ts';
import { startTable, type TestTable } from '../../../support/table.ts';

let table: TestTable;
let api: CommandApi;

beforeAll(async () => {
  table = await startTable();
  const { rules } = profileOf('aws-iot');
  api = createCommandApi(table, {
    brokerRules: {
      ...rules,
      replies: [
        {
          request: '$aws/things/{thing}/ask/{commandId}',
          response: '$aws/things/{thing}/answer/{commandId}',
        },
      ],
    },
  });
});
afterAll(() => table.close());

const publish = (body: object, ...scopes: string[]) =>
  api.post('/v1/publish', body, scopes.length === 0 ? {} : caller(...scopes));

describe('refused with field and rule, and not recorded:', () => {
  test.each([
    [{ topic: 'a/b/c/d/e/f/g/h/i' }, 'topic', /8 levels/],
    // The id takes more than its placeholder.
    [{ topic: `${'a'.repeat(230)}/{commandId}` }, 'topic', /256 bytes/],
    [{ topic: '$SYS/x' }, 'topic', /but for \$aws\//],
    [{ qos: 2 }, 'qos', /at most 1/],
    [{ payload: 'x'.repeat(131_073) }, 'payload', /131072 bytes/],
    [{ responseTopic: '$SYS/x/{commandId}' }, 'responseTopic', /but for \$aws\//],
    [{ responseTopic: 'a/b/c/d/e/f/g/h/{commandId}' }, 'responseTopic', /8 levels/],
    [
      { topic: 'a/b/c/d/e/f/g/h', responseTopic: '{topic}/{commandId}', waitFor: 'reply' },
      'responseTopic',
      /8 levels/,
    ],
  ])('%j', async (change, field, rule) => {
    const answer = await publish({ topic: 'a', payload: 'on', ...change });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'invalid-request',
      errors: [{ field, rule: expect.stringMatching(rule) }],
    });
    expect(await queueLength(table)).toBe(0);
    expect(api.bridge.published).toEqual([]);
  });

  test('in bulk each for itself', async () => {
    const { body } = await api.post('/v1/publish/bulk', [
      { topic: 'a', payload: 1, qos: 2 },
      { topic: 'b', payload: 2 },
    ]);
    expect(body.results.map(({ status }: { status: number }) => status)).toEqual([400, 200]);
    expect(api.bridge.published.splice(0)).toHaveLength(1);
  });
});

describe('topics with $', () => {
  const body = { topic: '$aws/things/a/jobs/get', payload: 'x' };

  test('that the broker has for clients take a scope that names them', async () => {
    expect((await publish(body, 'publish:$aws/things/a/#')).status).toBe(200);
    expect((await publish(body, 'admin')).status).toBe(200);
    expect((await publish(body, 'publish:#')).status).toBe(403);
    expect((await publish(body, 'publish:$aws/things/b/#')).status).toBe(403);
  });

  test('are all refused without a profile', async () => {
    const plain = createCommandApi(table);
    const answer = await plain.post('/v1/publish', body, caller('admin'));
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { field: 'topic', rule: expect.stringMatching(/must not start with \$: those topics/) },
    ]);
  });
});

describe('the response topic of a command that names none', () => {
  const published = () => api.bridge.published.splice(0)[0];

  test('is the one that belongs to its topic by the rules', async () => {
    api.bridge.published.length = 0;
    api.bridge.fate = () => ({ kind: 'answered', reply: { payloadBase64: '' } });
    const topic = '$aws/things/lamp/ask/{commandId}';
    const { status, body } = await publish({ topic, payload: 'x', waitFor: 'reply' });
    expect(status).toBe(200);
    expect(published()?.properties.responseTopic).toBe(`$aws/things/lamp/answer/${body.id}`);
    await publish({ topic, payload: 'x', waitFor: 'reply', responseTopic: 'own/{commandId}' });
    expect(published()?.properties.responseTopic).toMatch(/^own\//);
    await publish({ topic: 'other', payload: 'x', waitFor: 'reply' });
    expect(published()?.properties.responseTopic).toMatch(/^causeway\/replies\//);
  });

  test('is none where no reply is waited for', async () => {
    api.bridge.fate = () => ({ kind: 'sent' });
    await publish({ topic: '$aws/things/lamp/ask/{commandId}', payload: 'x' });
    expect(published()?.properties.responseTopic).toBeUndefined();
  });
});
