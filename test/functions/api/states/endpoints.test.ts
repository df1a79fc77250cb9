// States over HTTP, from real tables: as the lists have them, what changes, and only what the caller may see.
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ApiEnvironment } from '../../../../functions/api/access/api-environment.ts';
import { knownScopes, principalOf } from '../../../../functions/api/access/scopes.ts';
import { createCommands } from '../../../../functions/api/commands/service.ts';
import { Readers } from '../../../../functions/api/live/readers.ts';
import { createPresenceReader } from '../../../../functions/api/presence/reader.ts';
import { stateEndpoint } from '../../../../functions/api/states/endpoints.ts';
import { publishRequestSchema } from '../../../../functions/contract/command.ts';
import type { Message } from '../../../../functions/contract/message.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import { createStore } from '../../../../functions/ingest/storing/message-store.ts';
import {
  eventsOf,
  type ServerSentEvent,
  type StreamState,
} from '../../../../infra/cli/server-sent-events.ts';
import { connected, disconnected, startMs } from '../../../support/presence.ts';
import { routeStatus } from '../../../support/route-status.ts';
import { engines, startTable, type TestTable } from '../../../support/table.ts';
import { until } from '../../../support/wait.ts';

const caller = (...scopes: string[]) => principalOf(`token:${scopes}`, knownScopes(scopes));
const admin = caller('admin');

for (const engine of engines) {
  describe.skipIf(!engine.available)(`on ${engine.name}`, () => {
    let table: TestTable;
    beforeAll(async () => {
      table = await startTable(engine);
      const facts = { clientId: 'house/lamp', epoch: 1, atMs: startMs };
      await store(connected(facts), connected({ ...facts, clientId: 'plug' }));
    });
    afterAll(() => table.close());
    const database = () => ({ client: table.client, tableName: table.tableName });

    async function store(...messages: Message[]) {
      const { put } = createStore({ ...database(), retentionDays: 30 });
      expect(await put(messages, { presence: { source: 'embedded' } })).toEqual([]);
    }

    const commands = () =>
      createCommands({
        ...database(),
        deliver: async ({ commands: asked }) =>
          asked.map(({ id }) => ({ id, status: 'sent', sentAt: new Date().toISOString() })),
      });

    function api({
      streams = false,
      readers = new Readers({ ofCaller: 20, ofAll: 200 }),
      routes = async () => ({ ok: true, value: [routeStatus] }) as const,
      signal = undefined as AbortSignal | undefined,
      isStillAllowed = async () => true,
    } = {}) {
      const { operation, handle } = stateEndpoint({
        routes: { list: routes as never },
        commands: commands(),
        presence: createPresenceReader(database()),
        readers,
        streams,
        signal,
        onError: (error) => expect(error).toBeUndefined(),
      });
      return (query = '', who = admin, headers = {}) => {
        const app = new Hono<ApiEnvironment>();
        app.use(async (context, next) => {
          context.set('principal', who);
          context.set('isStillAllowed', isStillAllowed);
          await next();
        });
        app.get(operation.path, handle);
        return app.request(`${operation.path}${query}`, { headers });
      };
    }

    async function told(response: Response, state: StreamState = {}) {
      expect(response.status).toBe(200);
      const events: [string, Record<string, unknown>][] = [];
      for await (const { event, data } of eventsOf(
        response.body as AsyncIterable<Uint8Array>,
        state,
      ))
        events.push([event, JSON.parse(data)]);
      return events;
    }
    const namesOf = async (response: Response | Promise<Response>) =>
      (await told(await response)).map(([name]) => name);

    test('all lists to an admin, and with their id nothing more, however it is given', async () => {
      const ask = api();
      const state: StreamState = {};
      const events = await told(await ask(), state);
      expect(events.map(([name]) => name)).toEqual(['routes', 'commands', 'clients']);
      expect(events[0]?.[1]).toEqual({ routes: [routeStatus], isComplete: true });
      expect(events[2]?.[1]['clients']).toMatchObject([
        { clientId: 'house/lamp', status: 'online' },
        { clientId: 'plug' },
      ]);
      expect(state.retryMs).toBeGreaterThan(0);
      const after = state.lastEventId ?? '';
      expect(await told(await ask('', admin, { 'last-event-id': after }))).toEqual([]);
      expect(await told(await ask(`?after=${after}`))).toEqual([]);
      // Another instance has no memory of the reader, and needs none.
      expect(await told(await api()(`?after=${after}`))).toEqual([]);
    });

    test.each([
      ['no scope', [], '', ['commands']],
      ['read:#', ['read:#'], '', ['commands']],
      ['some clients', ['read:$presence/house/#'], '', ['commands', 'clients']],
      ['clients alone', ['read:$presence/#'], '?kinds=client', ['clients']],
      ['what may not be seen', ['read:#'], '?kinds=route', []],
    ] as const)('%s: what may be seen', async (...[, scopes, query, names]) => {
      expect(await namesOf(api()(query, caller(...scopes)))).toEqual(names);
    });

    test('clients of the filter that the caller may know of', async () => {
      const ask = api();
      const clients = async (query: string, who = admin) =>
        (await told(await ask(`?kinds=client${query}`, who))).flatMap(([, data]) =>
          (data['clients'] as { clientId: string }[]).map(({ clientId }) => clientId),
        );
      expect(await clients('&filter=house/%23')).toEqual(['house/lamp']);
      expect(await clients('', caller('read:$presence/plug'))).toEqual(['plug']);
    });

    test('commands of a topic, and not without a right to it', async () => {
      const ask = api();
      const request = publishRequestSchema.parse({ topic: 'a/cmd', payload: 1 });
      await commands().publish([{ request, payload: Buffer.from('1') }], admin);
      const [[name, data] = ['', {}]] = await told(await ask('?kinds=command&topic=a/cmd'));
      expect(name).toBe('commands');
      expect(data).toMatchObject({ commands: [{ topic: 'a/cmd' }], isComplete: true });
      expect((await ask('?topic=a/cmd', caller('read:b'))).status).toBe(403);
      expect((await ask('?topic=a/cmd&kinds=command', caller('publish:a/cmd'))).status).toBe(200);
    });

    test('a bridge that does not answer is told, beside what can be', async () => {
      const ask = api({
        routes: async () => ({ ok: false, problem: problem('bridge-unavailable') }) as never,
      });
      const events = await told(await ask());
      expect(events.map(([name]) => name)).toEqual(['problem', 'commands', 'clients']);
      expect(events[0]?.[1]).toMatchObject({
        kind: 'route',
        problem: { code: 'bridge-unavailable' },
      });
    });

    test('a stream stays open, and tells what changes; so many readers, and no more', async () => {
      const closing = new AbortController();
      const readers = new Readers({ ofCaller: 1, ofAll: 1 });
      const ask = api({ streams: true, readers, signal: closing.signal });
      const response = await ask('?kinds=client');
      expect((await ask()).status).toBe(429);
      const events: ServerSentEvent[] = [];
      const state: StreamState = {};
      const reading = (async () => {
        for await (const one of eventsOf(response.body as AsyncIterable<Uint8Array>, state))
          events.push(one);
      })();
      onTestFinished(() => closing.abort());
      await until(() => events.length === 1);
      const facts = { clientId: 'house/lamp', epoch: 1, atMs: startMs + 1000 };
      await store(disconnected({ ...facts, reason: 'keep-alive' }));
      await until(() => events.length === 2);
      expect(events[1]?.event).toBe('client');
      expect(JSON.parse(events[1]?.data ?? '')).toMatchObject({
        clientId: 'house/lamp',
        status: 'offline',
      });
      closing.abort();
      await reading;
      const again = await api()('?kinds=client', admin, { 'last-event-id': state.lastEventId });
      expect(await told(again)).toEqual([]);
      await store(connected({ ...facts, epoch: 2, atMs: startMs + 2000 }));
    });
  });
}
