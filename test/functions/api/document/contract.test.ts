// The api as its own document describes it: every answer of every operation is provoked, and held to the document.

import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, describe, expect, test } from 'vitest';
import {
  createAuthenticate,
  createTokenAuthenticate,
} from '../../../../functions/api/access/authentication.ts';
import { IssuerUnavailableError } from '../../../../functions/api/access/jwt.ts';
import type { Scope } from '../../../../functions/api/access/scopes.ts';
import { createTokenStore } from '../../../../functions/api/access/tokens.ts';
import { createApi } from '../../../../functions/api/api.ts';
import type { RouteControl } from '../../../../functions/api/bridge-client/route-control.ts';
import { commandEndpoints } from '../../../../functions/api/commands/endpoints.ts';
import { createCommands } from '../../../../functions/api/commands/service.ts';
import { createDeadLetters } from '../../../../functions/api/dead-letters/dead-letter-store.ts';
import { deadLetterEndpoints } from '../../../../functions/api/dead-letters/endpoints.ts';
import { docsContentSecurityPolicy } from '../../../../functions/api/document/docs.ts';
import { exampleRequest } from '../../../../functions/api/document/docs-example.ts';
import type { OpenApiDocument } from '../../../../functions/api/document/openapi-objects.ts';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { liveEndpoints } from '../../../../functions/api/live/endpoints.ts';
import { createLive } from '../../../../functions/api/live/live.ts';
import { Readers } from '../../../../functions/api/live/readers.ts';
import { messageEndpoints } from '../../../../functions/api/messages/endpoints.ts';
import { createReader } from '../../../../functions/api/messages/reader.ts';
import { seriesEndpoint } from '../../../../functions/api/messages/series-endpoint.ts';
import { presenceEndpoints } from '../../../../functions/api/presence/endpoints.ts';
import { createPresenceReader } from '../../../../functions/api/presence/reader.ts';
import { replayEndpoints } from '../../../../functions/api/replays/endpoints.ts';
import { createReplays } from '../../../../functions/api/replays/replay-store.ts';
import { routeEndpoints } from '../../../../functions/api/routes/endpoints.ts';
import { routeHistoryEndpoints } from '../../../../functions/api/routes/history-endpoints.ts';
import { previewEndpoint } from '../../../../functions/api/routes/preview-endpoint.ts';
import { stateEndpoint } from '../../../../functions/api/states/endpoints.ts';
import { tokenEndpoints } from '../../../../functions/api/tokens/endpoints.ts';
import { traceEndpoints } from '../../../../functions/api/traces/endpoints.ts';
import { createTraceReader } from '../../../../functions/api/traces/reader.ts';
import type { Outcome } from '../../../../functions/contract/command.ts';
import { type ProblemCode, problem } from '../../../../functions/contract/problem.ts';
import type { Trace } from '../../../../functions/contract/trace.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import { createStoredMessages } from '../../../../functions/reading/stored-messages.ts';
import { commandKey, replyValue } from '../../../../functions/table/command-item.ts';
import { deadLetterId, deadLetterItems } from '../../../../functions/table/dead-letter.ts';
import { localClient } from '../../../../infra/local/database.ts';
import { message } from '../../../support/messages.ts';
import { createContract, isJsonType } from '../../../support/openapi.ts';
import { connected, disconnected, startMs } from '../../../support/presence.ts';
import { routeHistory, routeStatus, routeTest } from '../../../support/route-status.ts';
import { startTable } from '../../../support/table.ts';

const table = await startTable();
afterAll(() => table.close());

const tokens = createTokenStore(table);
const tokenWith = async (...scopes: Scope[]) =>
  (await tokens.create({ name: 'contract', scopes })).token;
const admin = await tokenWith({ kind: 'admin' });
const onlyReads = await tokenWith({ kind: 'topics', right: 'read', filter: '#' });
const mayNothing = await tokenWith();
const authenticate = createAuthenticate({ tokens: createTokenAuthenticate({ store: tokens }) });

/** What the bridge says of each command, of a replay, its routes and messages; the test decides. */
const bridge = {
  refusesRoutes: undefined as ProblemCode | undefined,
  traces: [] as Trace[],
  outcome: undefined as Omit<Outcome, 'id'> | undefined,
  refusesReplay: undefined as ProblemCode | undefined,
};

const told = <T>(value: T) =>
  bridge.refusesRoutes === undefined
    ? ({ ok: true, value } as const)
    : ({ ok: false, problem: problem(bridge.refusesRoutes) } as const);

type ApiParts = Partial<Parameters<typeof createApi>[0]> & { client?: typeof table.client };

function api({ client = table.client, ...parts }: ApiParts = {}) {
  const database = { client, tableName: table.tableName };
  const cursors = createCursors('a-secret-for-the-tests');
  const routes: RouteControl = {
    list: async () => told([routeStatus]),
    series: async () => told(routeHistory.series),
    attempts: async () => told(routeHistory.attempts),
    states: async () => told(routeHistory.states),
    changes: async () => told(routeHistory.changes),
    test: async (_, topic) =>
      topic === 'elsewhere' ? { ok: false, problem: problem('invalid-request') } : told(routeTest),
    change: async () => told(routeStatus),
  };
  const commands = createCommands({
    ...database,
    deliver: async ({ commands: asked }) => {
      const { outcome } = bridge;
      return outcome && asked.map(({ id }) => ({ ...outcome, id }));
    },
  });
  const deadLetters = createDeadLetters({
    ...database,
    replay: async () =>
      bridge.refusesReplay === undefined
        ? { ok: true }
        : { ok: false, problem: problem(bridge.refusesReplay) },
  });
  const replays = createReplays({
    ...database,
    wake: async () => (bridge.refusesReplay === 'route-unknown' ? 'route-unknown' : 'woken'),
  });
  const traces = createTraceReader({
    ...database,
    waiting: async () => (bridge.refusesRoutes === undefined ? bridge.traces : undefined),
  });
  return createApi({
    endpoints: [
      ...messageEndpoints(createReader(database), cursors),
      seriesEndpoint(createStoredMessages(database), cursors),
      ...liveEndpoints({
        live: createLive({ ...database, checkMs: 0, catchesUp: true }),
        readers: new Readers({ ofCaller: 10, ofAll: 10 }),
        streams: false,
      }),
      stateEndpoint({
        routes,
        commands,
        presence: createPresenceReader(database),
        readers: new Readers({ ofCaller: 10, ofAll: 10 }),
        streams: false,
      }),
      ...traceEndpoints(traces, routes),
      ...commandEndpoints(commands, cursors),
      ...presenceEndpoints(createPresenceReader(database), cursors),
      ...deadLetterEndpoints(deadLetters, cursors),
      ...replayEndpoints(replays, cursors),
      ...routeEndpoints(routes),
      ...routeHistoryEndpoints(routes),
      previewEndpoint(routes, createStoredMessages(database)),
      ...tokenEndpoints(createTokenStore(database)),
    ],
    authenticate,
    rateLimit: { requestsPerSecond: 1e6, failuresPerSecond: 1e6 },
    ...parts,
  });
}

/** What a request meets that is about no other api. */
const usual = api();
const document = (await (await usual.request('/openapi.json')).json()) as OpenApiDocument;
const contract = createContract(document);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    id: operation.operationId,
    hasBody: operation.requestBody !== undefined,
    example: exampleRequest(method, path, operation, document),
    path,
  })),
);

interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  /** `null` leaves out what the example has. */
  readonly query?: Readonly<Record<string, string | null>>;
  /** As text; anything else is sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | null;
  readonly app?: ReturnType<typeof api>;
}

/** Sends the example of an operation, with some parts replaced, and holds the answer to the document. */
async function send(id: string, parts: Parts = {}) {
  const operation = operations.find((one) => one.id === id);
  if (operation === undefined) throw new Error(`no operation ${id}`);
  const { app = usual, token = admin, headers } = parts;
  const { method, query, body } = operation.example;
  const path =
    parts.path === undefined
      ? operation.example.path
      : operation.path.replace(/\{(\w+)\}/, (_, name) => parts.path?.[name] ?? '');
  const sent = parts.body ?? body;
  const given = Object.entries({ ...Object.fromEntries(query), ...parts.query });
  const parameters = given.filter((entry): entry is [string, string] => entry[1] !== null);
  const response = await app.request(`${path}?${new URLSearchParams(parameters)}`, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent !== undefined && { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
  });
  expect(await contract.faults(id, response.clone())).toEqual([]);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: isJsonType(response.headers.get('content-type')) ? JSON.parse(text) : undefined,
  };
}

/** Status and code of a problem, and the status alone of anything else. */
const outcomeOf = async (id: string, parts: Parts = {}) => {
  const { status, body } = await send(id, parts);
  return body?.code === undefined ? `${status}` : `${status} ${body.code}`;
};

describe('the document', () => {
  test('satisfies the linter', async () => {
    const problems = await lintFromString({
      source: JSON.stringify(document),
      config: await createConfig({ extends: ['recommended'] }),
    });
    expect(
      problems.map(({ ruleId, message: text, location }) => [ruleId, text, location[0]?.pointer]),
    ).toEqual([]);
  });

  test('is there for everyone, as is the page made from it, which keeps its own policy', async () => {
    for (const path of ['/openapi.json', '/docs'])
      expect((await usual.request(path)).status).toBe(200);
    const { headers } = await usual.request('/docs');
    expect(headers.get('content-security-policy')).toBe(docsContentSecurityPolicy);
  });

  test('knows all fields of every object', () => {
    const open = Object.entries(document.components.schemas).filter(
      ([, schema]) => schema.type === 'object' && schema.additionalProperties !== false,
    );
    expect(open.map(([id]) => id)).toEqual([]);
  });
});

describe.each(operations)('$id', ({ id }) => {
  test('takes its example', async () => {
    expect(await outcomeOf(id)).toMatch(/^2|^404/);
  });

  test('has no parameters but those of the document', async () => {
    expect(await outcomeOf(id, { query: { unknown: '1' } })).toBe('400 invalid-request');
  });

  test('needs a token', async () => {
    expect(await outcomeOf(id, { token: null })).toBe('401 unauthorized');
    expect(await outcomeOf(id, { token: `${admin}x` })).toBe('401 unauthorized');
  });

  test('says that the issuer of a token cannot be reached', async () => {
    const app = api({
      authenticate: () => Promise.reject(new IssuerUnavailableError('no answer')),
    });
    expect(await outcomeOf(id, { app })).toBe('503 issuer-unavailable');
  });

  test('limits the requests of a caller', async () => {
    const app = api({ rateLimit: { requestsPerSecond: 0 } });
    expect(await outcomeOf(id, { app })).toBe('429 rate-limited');
  });

  test('says that the database does not answer', async () => {
    const client = localClient('http://127.0.0.1:1');
    const store = createTokenStore({ client, tableName: table.tableName });
    const withoutTokens = createAuthenticate({ tokens: createTokenAuthenticate({ store }) });
    const app = api({ client, authenticate: withoutTokens });
    expect(await outcomeOf(id, { app })).toBe('503 database-unavailable');
    client.destroy();
  });

  test('says of a bug only that there is one', async () => {
    const seen: string[] = [];
    const app = api({
      authenticate: () => Promise.reject(new TypeError('a bug')),
      onError: ({ message }) => seen.push(message),
    });
    expect(await outcomeOf(id, { app })).toBe('500 internal');
    expect(seen).toEqual(['a bug']);
  });
});

describe.each(operations.filter(({ hasBody }) => hasBody))('$id', ({ id }) => {
  test('takes JSON alone', async () => {
    expect(await outcomeOf(id, { body: '{' })).toBe('400 invalid-json');
    const headers = { 'content-type': 'text/plain' };
    expect(await outcomeOf(id, { headers })).toBe('415 unsupported-media-type');
  });

  test('limits the size of its body', async () => {
    expect(await outcomeOf(id, { body: ' '.repeat(6 * 1024 * 1024) })).toBe('413 body-too-large');
  });
});

describe('messages', async () => {
  const store = createStore({ ...table, retentionDays: 30 });
  const properties = {
    contentType: 'text/plain',
    responseTopic: 'devices/1/answers',
    correlationData: Buffer.from([1, 2]),
    userProperties: [['unit', 'K']],
    messageExpirySeconds: 60,
    payloadFormat: 1,
  } as const;
  const topic = 'devices/1/state';
  await store.put([
    message({ topic, text: '{"celsius":21.5}' }),
    message({ topic, text: 'on', qos: 2, retain: true, properties }),
    message({ topic, payload: Buffer.from([0xff]), qos: 0 }),
    message({ topic: 'devices/2/state' }),
  ]);
  const accept = 'application/cloudevents-batch+json';

  test.each([
    ['listMessages', { query: { topic } }],
    ['queryMessages', { body: { topic } }],
  ])('%s gives all kinds of payloads', async (id, parts) => {
    const { body } = await send(id, parts);
    expect(body.messages).toHaveLength(3);
    expect(body.messages[0]).toHaveProperty('payloadBase64');
  });

  test.each([
    ['listMessages', { query: { topic, limit: '1' } }],
    ['queryMessages', { body: { topic, limit: 1 } }],
  ])('%s has pages, and CloudEvents', async (id, parts) => {
    expect((await send(id, parts)).body.nextCursor).toBeTypeOf('string');
    const events = await send(id, { ...parts, headers: { accept } });
    expect(events.headers.get('content-type')).toBe(accept);
    expect(events.headers.get('link')).toContain('rel="next"');
    expect(events.body).toHaveLength(1);
  });

  test.each([
    ['listMessages', { query: { topic, limit: '0' } }],
    ['listMessages', { query: { topic: 'a/#' } }],
    ['listMessages', { query: { topic: null } }],
    ['listMessages', { query: { topic, filter: '#' } }],
    ['listMessages', { query: { topic: null, filter: '#', limit: '1' } }],
    ['listMessages', { query: { topic: null, filter: '#', order: 'oldest' } }],
    ['queryMessages', { body: { topic, limit: '1' } }],
    ['listLatestMessages', { query: { filter: 'a/#/b' } }],
    ['listTopics', { query: { cursor: 'x' } }],
  ])('%s refuses %j', async (id, parts) => {
    expect(await outcomeOf(id, parts)).toBe('400 invalid-request');
  });

  test('readMessageSeries needs the right to read', async () => {
    expect(await outcomeOf('readMessageSeries', { token: mayNothing })).toBe('403 forbidden');
  });

  test.each(['application/x-ndjson', 'text/csv'])('listMessages exports %s', async (type) => {
    const query = { topic: null, filter: 'devices/+/state' };
    const { headers } = await send('listMessages', { query, headers: { accept: type } });
    expect(headers.get('content-type')).toBe(type);
  });

  test.each([
    ['listMessages', { query: { topic } }],
    ['queryMessages', { body: { topic } }],
  ])('%s needs the right to read', async (id, parts) => {
    expect(await outcomeOf(id, { ...parts, token: mayNothing })).toBe('403 forbidden');
  });

  test('lists by filter give what the caller may read', async () => {
    const query = { filter: 'devices/+/state' };
    expect((await send('listLatestMessages', { query })).body.messages).toHaveLength(2);
    expect((await send('listTopics', { query })).body.topics).toMatchObject([{ topic }, {}]);
    expect((await send('listTopics', { query, token: mayNothing })).body.topics).toEqual([]);
    const first = { query: { ...query, limit: '1' }, headers: { accept } };
    const events = await send('listLatestMessages', first);
    expect(events.body).toMatchObject([{ subject: topic }]);
    expect(events.headers.get('link')).toContain('rel="next"');
  });
});

describe('commands', () => {
  const at = '2026-01-31T12:00:00.000Z';
  const reply = {
    topic: 'devices/1/answers',
    receivedAt: at,
    payloadBase64: Buffer.from('{"ok":true}').toString('base64'),
    contentType: 'application/json',
    userProperties: [['unit', 'K']] as [string, string][],
  };
  const refusal = { code: 'broker-refused', detail: 'not authorized' };
  const topic = 'devices/1/cmd';
  const body = { topic, payload: 'on' };

  /** Publishes as the bridge says, and gives the id of the command. */
  async function published(parts: object, outcome?: Omit<Outcome, 'id'>) {
    bridge.outcome = outcome;
    const answer = await send('publish', { body: { ...body, ...parts } });
    return { ...answer, id: answer.body.id ?? answer.body.command.id };
  }

  test.each([
    [200, {}, { status: 'sent', sentAt: at, hadSubscribers: false }],
    [200, { waitFor: 'reply' }, { status: 'answered', sentAt: at, reply }],
    [202, { waitFor: 'reply' }, { status: 'sent', sentAt: at }],
    [202, { waitFor: 'none' }, undefined],
    [202, {}, undefined],
  ] as const)('publish answers %d to %j and %j', async (status, parts, outcome) => {
    const answer = await published(parts, outcome);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('location')).toBe(`/v1/commands/${answer.id}`);
  });

  test.each([
    ['502 broker-refused', { status: 'failed', error: refusal }],
    [
      '502 reply-too-large',
      { status: 'failed', error: { code: 'reply-too-large', detail: 'at most 262144 bytes' } },
    ],
    ['504 command-expired', { status: 'expired' }],
  ] as const)('publish answers %s to %j', async (expected, outcome) => {
    const { id, status, body: answer } = await published({}, outcome);
    expect(`${status} ${answer.code}`).toBe(expected);
    expect(answer.command).toEqual({ id, status: outcome.status });
  });

  test('publish needs the right to, and a database', async () => {
    expect(await outcomeOf('publish', { body, token: onlyReads })).toBe('403 forbidden');
    const client = localClient('http://127.0.0.1:1');
    expect(await outcomeOf('publish', { body, app: api({ client }) })).toBe(
      '503 database-unavailable',
    );
    client.destroy();
  });

  test('publish takes a key for one body', async () => {
    bridge.outcome = { status: 'sent', sentAt: at };
    const headers = { 'idempotency-key': 'a-key' };
    expect(await outcomeOf('publish', { body, headers })).toBe('200');
    expect(await outcomeOf('publish', { body: { ...body, qos: 2 }, headers })).toBe(
      '409 idempotency-conflict',
    );
    const withSpace = { 'idempotency-key': 'a key' };
    expect(await outcomeOf('publish', { body, headers: withSpace })).toBe('400 invalid-request');
  });

  test('bulk publishing has a result for each', async () => {
    const statusesOf = async (outcome: Omit<Outcome, 'id'> | undefined) => {
      bridge.outcome = outcome;
      const list = [body, { ...body, waitFor: 'reply' }, { ...body, topic: '#' }];
      const answer = await send('publishBulk', { body: list });
      return answer.body.results.map(({ status }: { status: number }) => status);
    };
    expect(await statusesOf({ status: 'answered', sentAt: at, reply })).toEqual([200, 200, 400]);
    expect(await statusesOf({ status: 'failed', error: refusal })).toEqual([502, 502, 400]);
    expect(await statusesOf({ status: 'expired' })).toEqual([504, 504, 400]);
    expect(await statusesOf(undefined)).toEqual([202, 202, 400]);
  });

  test('are read, with all that may be known of them', async () => {
    const { id } = await published({ topic: 'devices/2/cmd' });
    const recorded = await send('getCommand', { path: { id } });
    expect(recorded.body).toMatchObject({ id, status: 'pending', history: [{}] });
    await table.client.send(
      new UpdateItemCommand({
        TableName: table.tableName,
        Key: commandKey(id),
        UpdateExpression:
          'SET #status = :status, sentAt = :at, hadSubscribers = :true, reply = :reply, #error = :error',
        ExpressionAttributeNames: { '#status': 'status', '#error': 'error' },
        ExpressionAttributeValues: {
          ':status': { S: 'answered' },
          ':at': { S: at },
          ':true': { BOOL: true },
          ':reply': replyValue(reply),
          ':error': { M: { code: { S: refusal.code }, detail: { S: refusal.detail } } },
        },
      }),
    );
    const answered = await send('getCommand', { path: { id } });
    expect(answered.body).toMatchObject({ status: 'answered', reply: { payload: { ok: true } } });
    const list = await send('listCommands', { query: { topic: 'devices/2/cmd' } });
    expect(list.body.commands).toMatchObject([{ id, status: 'answered' }]);
  });

  test('are seen by those alone who may', async () => {
    const { id } = await published({});
    expect(await outcomeOf('getCommand', { path: { id }, token: mayNothing })).toBe(
      '404 not-found',
    );
    expect(await outcomeOf('getCommand', { path: { id: 'none' } })).toBe('404 not-found');
    expect(await outcomeOf('listCommands', { query: { topic }, token: mayNothing })).toBe(
      '403 forbidden',
    );
  });

  test('are listed in pages, by status', async () => {
    await published({});
    await published({});
    const query = { topic, limit: '1', status: 'pending' };
    expect((await send('listCommands', { query })).body.nextCursor).toBeTypeOf('string');
    expect(await outcomeOf('listCommands', { query: { ...query, status: 'lost' } })).toBe(
      '400 invalid-request',
    );
  });
});

describe('dead letters', () => {
  async function addDeadLetter() {
    const letter = {
      route: 'store',
      reason: 'the handler refused it',
      attempts: 3,
      quarantinedAt: '2026-01-31T12:00:00.000Z',
      message: message({ topic: 'demo/kitchen/temperature', text: 'on' }),
    };
    for (const Item of deadLetterItems(letter))
      await table.client.send(new PutItemCommand({ TableName: table.tableName, Item }));
    return { id: Buffer.from(deadLetterId(letter)).toString('base64url') };
  }

  test('are listed and read', async () => {
    const path = await addDeadLetter();
    expect((await send('listDeadLetters')).body.deadLetters).toMatchObject([path]);
    expect((await send('getDeadLetter', { path })).body.message.payload).toBe('on');
  });

  test('are counted by route and reason', async () => {
    await addDeadLetter();
    const { body } = await send('summarizeDeadLetters');
    expect(body.groups).toMatchObject([{ route: 'store', reason: 'the handler refused it' }]);
    expect(await outcomeOf('summarizeDeadLetters', { query: { filter: 'a/#/b' } })).toBe(
      '400 invalid-request',
    );
  });

  test('are replayed', async () => {
    const path = await addDeadLetter();
    expect(await outcomeOf('replayDeadLetter', { path })).toBe('200');
    for (const [code, status] of [
      ['route-unknown', 409],
      ['handler-refused', 422],
      ['handler-unavailable', 503],
      ['bridge-unavailable', 503],
    ] as const) {
      bridge.refusesReplay = code;
      expect(await outcomeOf('replayDeadLetter', { path })).toBe(`${status} ${code}`);
    }
  });

  test('are deleted', async () => {
    const path = await addDeadLetter();
    expect(await outcomeOf('deleteDeadLetter', { path })).toBe('204');
    expect(await outcomeOf('getDeadLetter', { path })).toBe('404 not-found');
  });

  test.each(['getDeadLetter', 'replayDeadLetter', 'deleteDeadLetter'])(
    '%s does not tell of those that the caller may not read',
    async (id) => {
      const path = await addDeadLetter();
      expect(await outcomeOf(id, { path, token: mayNothing })).toBe('404 not-found');
      expect(await outcomeOf(id, { path: { id: 'none' } })).toBe('404 not-found');
    },
  );

  test.each(['replayDeadLetter', 'deleteDeadLetter'])(
    '%s needs the right to delete',
    async (id) => {
      expect(await outcomeOf(id, { path: await addDeadLetter(), token: onlyReads })).toBe(
        '403 forbidden',
      );
    },
  );
});

describe('presence', async () => {
  const store = createStore({ ...table, retentionDays: 30 });
  const clientId = 'lamp-7';
  const changes = Array.from({ length: 40 }, (_, index) => {
    const facts = { clientId, epoch: 1 + (index >> 1), atMs: startMs + index };
    return index % 2 === 0 ? connected(facts) : disconnected(facts);
  });
  const calmed = connected({ clientId, epoch: 99, atMs: startMs + 3_000_000 });
  const other = connected({ clientId: 'lamp-8', epoch: 1, atMs: startMs });
  await store.put([...changes, other], { presence: { source: 'embedded' } });

  test('clients are listed in pages, for those who may see them', async () => {
    const { body } = await send('listPresence', { query: { filter: '+', limit: '1' } });
    expect(body).toMatchObject({ clients: [{ clientId }], nextCursor: expect.any(String) });
    expect((await send('listPresence', { token: onlyReads })).body.clients).toEqual([]);
    expect(await outcomeOf('listPresence', { query: { status: 'away' } })).toBe(
      '400 invalid-request',
    );
  });

  test('a history has events of all kinds, for those who may see it', async () => {
    await store.put([calmed], { presence: { source: 'embedded' } });
    const { body } = await send('listPresenceEvents', { query: { clientId } });
    const kinds = new Set(body.events.map(({ event }: { event: string }) => event));
    expect([...kinds].sort()).toEqual(['calm', 'connected', 'disconnected', 'flapping']);
    const query = { clientId, limit: '1' };
    expect((await send('listPresenceEvents', { query })).body.nextCursor).toBeTypeOf('string');
    expect(await outcomeOf('listPresenceEvents', { query, token: onlyReads })).toBe(
      '403 forbidden',
    );
    expect(await outcomeOf('listPresenceEvents', { query: { clientId: '' } })).toBe(
      '400 invalid-request',
    );
  });
});

describe('routes', () => {
  test.each([
    'listRoutes',
    'getRoute',
    'pauseRoute',
    'resumeRoute',
    'retryRoute',
    'testRoute',
    'endRoute',
    'getRouteSeries',
    'listRouteAttempts',
    'listRouteStates',
    'listChanges',
  ])('%s', async (id) => {
    bridge.refusesRoutes = undefined;
    expect(await outcomeOf(id)).toBe('200');
    expect(await outcomeOf(id, { token: onlyReads })).toBe('403 forbidden');
    if (!['listRoutes', 'listChanges'].includes(id))
      expect(await outcomeOf(id, { path: { name: 'a b' } })).toBe('404 not-found');
    bridge.refusesRoutes = 'bridge-unavailable';
    expect(await outcomeOf(id)).toBe('503 bridge-unavailable');
  });
});

test('a test event of a topic that the route does not have, or one too soon', async () => {
  bridge.refusesRoutes = undefined;
  expect(await outcomeOf('testRoute', { query: { topic: 'rooms/kitchen' } })).toBe('200');
  const elsewhere = { query: { topic: 'elsewhere' } };
  expect(await outcomeOf('testRoute', elsewhere)).toBe('400 invalid-request');
  bridge.refusesRoutes = 'rate-limited';
  expect(await outcomeOf('testRoute')).toBe('429 rate-limited');
  bridge.refusesRoutes = undefined;
});

test('getRouteSeries takes steps and times that make sense', async () => {
  const ask = (query: Record<string, string>) => outcomeOf('getRouteSeries', { query });
  expect(await ask({ step: '300', from: '2026-01-31T12:00:00Z', to: '2026-01-31T13:00:00Z' })).toBe(
    '200',
  );
  for (const query of [{ step: '0' }, { step: '15' }, { step: '90' }, { from: 'yesterday' }])
    expect(await ask(query)).toBe('400 invalid-request');
  expect(await ask({ from: '2026-01-01T00:00:00Z', to: '2026-01-31T13:00:00Z' })).toBe(
    '400 invalid-request',
  );
  for (const id of ['listRouteAttempts', 'listChanges'])
    expect(await outcomeOf(id, { query: { limit: '0' } })).toBe('400 invalid-request');
});

test('previewRoute', async () => {
  bridge.refusesRoutes = undefined;
  const ask = (body: object, more: object = {}) => outcomeOf('previewRoute', { body, ...more });
  expect(await ask({ where: 'payload.celsius > 30', transform: 'topic' })).toBe('200');
  expect(await ask({ where: 'true' }, { token: onlyReads })).toBe('403 forbidden');
  for (const body of [
    { where: 'payload.' },
    { where: 'true', maxMessages: 0 },
    { filter: 'a/#/b' },
  ])
    expect(await ask(body)).toBe('400 invalid-request');
  expect(await ask({ where: 'true' }, { path: { name: 'other' } })).toBe('404 not-found');
  bridge.refusesRoutes = 'bridge-unavailable';
  expect(await ask({ where: 'true' })).toBe('503 bridge-unavailable');
  bridge.refusesRoutes = undefined;
});

describe('replays', () => {
  test.each(['replayMessages', 'replayDeadLetters'])('%s', async (id) => {
    bridge.refusesReplay = undefined;
    const body = { filter: 'rooms/#', route: 'hooks', from: '2026-01-01T00:00:00Z' };
    expect(await outcomeOf(id, { body })).toBe('202');
    expect(await outcomeOf(id, { body, token: onlyReads })).toBe('403 forbidden');
    expect(await outcomeOf(id, { body: { ...body, messagesPerSecond: 0 } })).toBe(
      '400 invalid-request',
    );
    bridge.refusesReplay = 'route-unknown';
    expect(await outcomeOf(id, { body })).toBe('409 route-unknown');
    bridge.refusesReplay = undefined;
  });

  test('are listed, looked at and cancelled', async () => {
    const { body } = await send('replayMessages', { body: { filter: '#', route: 'hooks' } });
    const path = { id: body.id };
    expect((await send('listReplays', { query: { limit: '1' } })).body).toMatchObject({
      replays: [{ id: body.id, status: 'pending' }],
      nextCursor: expect.any(String),
    });
    expect((await send('getReplay', { path })).body.id).toBe(body.id);
    expect((await send('cancelReplay', { path })).body.status).toBe('cancelled');
    for (const id of ['getReplay', 'cancelReplay']) {
      expect(await outcomeOf(id, { path, token: onlyReads })).toBe('403 forbidden');
      expect(await outcomeOf(id, { path: { id: 'x' } })).toBe('404 not-found');
    }
    expect(await outcomeOf('listReplays', { token: onlyReads })).toBe('403 forbidden');
    expect(await outcomeOf('listReplays', { query: { cursor: 'x' } })).toBe('400 invalid-request');
  });
});

describe('traces', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const attempts = [
    { at, latencyMs: 1, verdict: 'held', reason: 'no answer', messages: 3 },
    { at, latencyMs: 2, status: 200, verdict: 'delivered', messages: 3 },
  ] as const;

  test('of a message that had trouble, and of one that had none', async () => {
    bridge.refusesRoutes = undefined;
    const trace: Trace = {
      route: 'store',
      topic: 'rooms/1',
      time: at,
      state: 'waiting',
      tries: 2,
      attempts: [...attempts],
    };
    bridge.traces = [trace, { ...trace, state: 'delivered', settledAt: at }];
    expect(
      (await send('traceMessage', { path: { id: 'm1' }, query: { topic: 'rooms/1' } })).body.traces,
    ).toEqual(bridge.traces);
    expect(await outcomeOf('traceMessage', { token: mayNothing, query: { topic: 'a' } })).toBe(
      '403 forbidden',
    );
    bridge.traces = [];
    const query = { topic: 'rooms/1' };
    expect((await send('traceMessage', { query })).body.traces).toEqual([]);
    const untold = { query: { topic: null } };
    expect(await outcomeOf('traceMessage', untold)).toBe('404 not-found');
    bridge.refusesRoutes = 'bridge-unavailable';
    expect(await outcomeOf('traceMessage', untold)).toBe('503 bridge-unavailable');
    expect((await send('traceMessage', { query: { topic: 'a/#' } })).body.code).toBe(
      'invalid-request',
    );
  });
});

test('liveMessages', async () => {
  expect(await outcomeOf('liveMessages', { query: { filter: 'a/#' } })).toBe('200');
  for (const query of [{ filter: 'a/#/b' }, { after: 'x' }])
    expect(await outcomeOf('liveMessages', { query })).toBe('400 invalid-request');
});

test('liveStates', async () => {
  expect(await outcomeOf('liveStates')).toBe('200');
  expect(await outcomeOf('liveStates', { query: { topic: 'a' }, token: mayNothing })).toBe(
    '403 forbidden',
  );
  for (const query of [{ kinds: 'topics' }, { filter: 'a/#/b' }, { topic: '+' }, { after: 'x' }])
    expect(await outcomeOf('liveStates', { query })).toBe('400 invalid-request');
});

describe('tokens', () => {
  test('are made, listed and revoked by an admin', async () => {
    const body = { name: 'lamp', scopes: ['read:#'], expiresAt: '2099-01-01T00:00:00Z' };
    const made = await send('createToken', { body });
    expect(made.status).toBe(201);
    expect((await send('getMe', { token: made.body.token })).body.name).toBe('lamp');
    expect((await send('listTokens')).body.tokens).toContainEqual(
      expect.objectContaining({ id: made.body.id, lastUsedAt: expect.any(String) }),
    );
    const path = { id: made.body.id };
    for (const [id, parts] of [
      ['createToken', { body }],
      ['listTokens', {}],
      ['revokeToken', { path }],
    ] as const)
      expect(await outcomeOf(id, { ...parts, token: onlyReads })).toBe('403 forbidden');
    expect(await outcomeOf('createToken', { body: { ...body, scopes: ['all'] } })).toBe(
      '400 invalid-request',
    );
    expect(await outcomeOf('revokeToken', { path })).toBe('204');
    expect(await outcomeOf('revokeToken', { path })).toBe('404 not-found');
  });
});

// The last test: it looks back at all answers of those above.
test('every answer of the document has been seen', () => {
  expect(contract.unseen()).toEqual([]);
});
