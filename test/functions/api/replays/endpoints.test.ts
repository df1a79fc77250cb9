// Replays over HTTP: what is recorded for the bridge, who may ask for it, and what is refused.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createReplayTable } from '../../../../bridge/replays/replay-table.ts';
import { principalOf } from '../../../../functions/api/access/scopes.ts';
import type { WakeReplays } from '../../../../functions/api/bridge-client/bridge-client.ts';
import { createCursors } from '../../../../functions/api/interface/cursor.ts';
import { replayEndpoints } from '../../../../functions/api/replays/endpoints.ts';
import { createReplays } from '../../../../functions/api/replays/replay-store.ts';
import { call } from '../../../support/endpoints.ts';
import { principal } from '../../../support/principals.ts';
import { engines, type TestTable } from '../../../support/table.ts';

const admin = principalOf('token:admin', [{ kind: 'admin' }]);
const mighty = principal('mighty', { read: '#', publish: '#', delete: '#' });

describe.each(engines.filter(({ available }) => available))('on $name', (engine) => {
  let table: TestTable;
  /** What the bridge was told, and what it says. */
  let woken: (string | undefined)[];
  let bridgeSays: Awaited<ReturnType<WakeReplays>>;

  beforeAll(async () => {
    table = await engine.start();
  });
  afterAll(() => table.close());
  beforeEach(async () => {
    woken = [];
    bridgeSays = 'woken';
    const { body } = await ask('GET', '/v1/replays');
    for (const { id } of body.replays) await ask('POST', `/v1/replays/${id}/cancel`);
    woken = [];
  });

  function ask(method: string, path: string, body?: unknown, who = admin) {
    const wake: WakeReplays = async (route) => {
      woken.push(route);
      return bridgeSays;
    };
    const replays = createReplays({ ...table, wake });
    const endpoints = replayEndpoints(replays, createCursors('a secret of the tests'));
    return call(endpoints, who, path, { method, body });
  }

  test('is recorded as asked, and the bridge is told', async () => {
    const asked = {
      filter: 'rooms/+',
      route: 'hooks',
      from: '2026-01-01T00:00:00+01:00',
      to: '2026-01-02T00:00:00Z',
      messagesPerSecond: 50,
    };
    const { status, body, headers } = await ask('POST', '/v1/replay', asked);
    expect(status).toBe(202);
    expect(body).toEqual({
      id: expect.any(String),
      status: 'pending',
      source: 'messages',
      filter: 'rooms/+',
      route: 'hooks',
      from: '2025-12-31T23:00:00.000000Z',
      to: '2026-01-02T00:00:00.000000Z',
      messagesPerSecond: 50,
      dryRun: false,
      createdAt: expect.any(String),
      total: 0,
      delivered: 0,
      refused: 0,
      refusals: [],
    });
    expect(woken).toEqual(['hooks', undefined]);
    expect(headers.get('location')).toBe(`/v1/replays/${body.id}`);
    expect((await ask('GET', `/v1/replays/${body.id}`)).body).toEqual(body);
    expect((await createReplayTable(table.client, table.tableName).next())?.id).toBe(body.id);
  });

  test('dead letters: all of them where nothing is said', async () => {
    const { status, body } = await ask('POST', '/v1/dead-letters/replay', {});
    expect(status).toBe(202);
    expect(body).toMatchObject({ source: 'dead-letters', filter: '#', messagesPerSecond: 100 });
  });

  test('dead letters of one reason, which is told apart from why a replay failed', async () => {
    const asked = { reason: 'status 422' };
    const { body } = await ask('POST', '/v1/dead-letters/replay', asked);
    expect([body.deadLetterReason, body.reason]).toEqual(['status 422', undefined]);
    const empty = await ask('POST', '/v1/dead-letters/replay', { reason: '' });
    expect([empty.status, empty.body.errors[0].field]).toEqual([400, 'reason']);
  });

  test('what comes after it was asked for does not belong to it', async () => {
    for (const to of [undefined, '2999-01-01T00:00:00Z']) {
      const { body } = await ask('POST', '/v1/replay', { filter: '#', route: 'hooks', to });
      expect(body.to).toBe(body.createdAt.replace('Z', '000Z'));
    }
  });

  test('is forgotten after a month, whenever the database deletes it', async () => {
    await ask('POST', '/v1/dead-letters/replay', {});
    const listedAfter = async (days: number) => {
      const now = () => Date.now() + days * 86_400_000;
      const replays = createReplays({ ...table, wake: async () => 'woken', now });
      return (await replays.list(100)).entries.length;
    };
    expect(await listedAfter(29)).toBeGreaterThan(0);
    expect(await listedAfter(31)).toBe(0);
  });

  test('a bridge that is away is not waited for; one without the route says so', async () => {
    bridgeSays = 'unreachable';
    const replay = { filter: '#', route: 'hooks' };
    expect((await ask('POST', '/v1/replay', replay)).status).toBe(202);
    bridgeSays = 'route-unknown';
    const refused = await ask('POST', '/v1/replay', replay);
    expect([refused.status, refused.body.code]).toEqual([409, 'route-unknown']);
    expect((await ask('GET', '/v1/replays?limit=1')).body.replays[0].status).toBe('pending');
  });

  test('cancelled once, it stays so, and what has ended stays as it is', async () => {
    const { body: started } = await ask('POST', '/v1/replay', { filter: '#', route: 'hooks' });
    const bridge = createReplayTable(table.client, table.tableName);
    const replay = await bridge.next();
    if (replay === undefined) throw new Error('nothing to do');
    woken = [];
    const { body } = await ask('POST', `/v1/replays/${started.id}/cancel`);
    expect(body.status).toBe('cancelled');
    expect(woken).toEqual([undefined]);
    expect(await bridge.save({ ...replay, status: 'sending' })).toBe(false);

    const { body: other } = await ask('POST', '/v1/dead-letters/replay', {});
    const next = await bridge.next();
    if (next === undefined) throw new Error('nothing to do');
    expect(await bridge.save({ ...next, status: 'done' })).toBe(true);
    expect((await ask('POST', `/v1/replays/${other.id}/cancel`)).body.status).toBe('done');
  });

  test('a list in pages, newest first', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index++)
      ids.unshift((await ask('POST', '/v1/dead-letters/replay', {})).body.id);
    const listed: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page++) {
      const { body } = await ask('GET', `/v1/replays?limit=2${cursor}`);
      listed.push(...body.replays.map(({ id }: { id: string }) => id));
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(listed.slice(0, 5)).toEqual(ids);
  });

  test('only admin may ask, look or cancel', async () => {
    const id = '019a2b5e-7d52-7c1a-9a51-8d3c4f5e6a7b';
    for (const [method, path, body] of [
      ['POST', '/v1/replay', { filter: '#', route: 'hooks' }],
      ['POST', '/v1/dead-letters/replay', {}],
      ['GET', '/v1/replays'],
      ['GET', `/v1/replays/${id}`],
      ['POST', `/v1/replays/${id}/cancel`],
    ] as const) {
      expect((await ask(method, path, body, mighty)).status).toBe(403);
    }
    expect(woken).toEqual([]);
  });

  test.each([
    [{ route: 'hooks' }, 'filter'],
    [{ filter: '#' }, 'route'],
    [{ filter: 'a/#/b', route: 'hooks' }, 'filter'],
    [{ filter: '$share/g/a', route: 'hooks' }, 'filter'],
    [{ filter: '#', route: '' }, 'route'],
    [{ filter: '#', route: 'hooks', from: 'yesterday' }, 'from'],
    [
      { filter: '#', route: 'hooks', from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'to',
    ],
    [{ filter: '#', route: 'hooks', messagesPerSecond: 0 }, 'messagesPerSecond'],
    [{ filter: '#', route: 'hooks', messagesPerSecond: 1e9 }, 'messagesPerSecond'],
    [{ filter: '#', route: 'hooks', messagesPerSecond: 0.5 }, 'messagesPerSecond'],
    [{ filter: '#', route: 'hooks', dryRun: 'yes' }, 'dryRun'],
    [{ filter: '#', route: 'hooks', url: 'http://evil' }, 'url'],
  ])('%j is refused', async (body, field) => {
    const { status, body: answer } = await ask('POST', '/v1/replay', body);
    expect(status).toBe(400);
    expect(answer.errors.map((fault: { field: string }) => fault.field)).toEqual([field]);
    expect(woken).toEqual([]);
  });

  test.each(['x', 'a'.repeat(3000), '019a2b5e-7d52-7c1a-9a51-8d3c4f5e6a7b'])(
    'there is no replay %j',
    async (id) => {
      expect((await ask('GET', `/v1/replays/${id}`)).status).toBe(404);
      expect((await ask('POST', `/v1/replays/${id}/cancel`)).status).toBe(404);
    },
  );
});
