// States of routes in a real table and in real files, and several bridges that change them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { pino } from 'pino';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ChangeWatch } from '../../../bridge/base/change-watch.ts';
import { neverChanged, type RouteState } from '../../../bridge/routes/route-state.ts';
import { folderRouteStates } from '../../../bridge/routes/route-state-folder.ts';
import { tableRouteStates } from '../../../bridge/routes/route-state-table.ts';
import { type RouteStateStore, RouteStates } from '../../../bridge/routes/route-states.ts';
import { readChangeMarker } from '../../../functions/table/change-marker.ts';
import { temporaryFolder } from '../../support/brokers.ts';
import { clientWithout, startTable } from '../../support/table.ts';
import { until } from '../../support/wait.ts';

const log = pino({ level: 'silent' });

function statesOf(store: RouteStateStore, routes = ['store'], pollMs = 20) {
  const states = new RouteStates({ store, routes, log, pollMs });
  onTestFinished(() => states.stop());
  return states;
}
const kindOf = (states: RouteStates, route = 'store') => states.gate(route).state?.kind;

/** Opens the store of one config, by its client id prefix. */
type Open = (prefix?: string) => RouteStateStore;

const stores: [name: string, start: () => Promise<Open>][] = [
  [
    'a table',
    async () => {
      const table = await startTable();
      onTestFinished(() => table.close());
      return (prefix = 'causeway') => tableRouteStates(table.tableName, table.client, prefix);
    },
  ],
  [
    'a folder',
    async () => {
      const folder = join(temporaryFolder('states'), 'route-state');
      return (prefix = 'causeway') => folderRouteStates(folder, prefix);
    },
  ],
];

describe.each(stores)('in %s', (_, open) => {
  test('a state is kept, and is that of one route of one config', async () => {
    const store = await open();
    const first = statesOf(store());
    await first.refresh();
    expect(first.gate('store').state).toEqual(neverChanged);
    expect(await first.change('store', { kind: 'pause', by: 'token:a' })).toBe(true);
    expect(first.gate('store').isOpen).toBe(false);

    const next = statesOf(store(), ['store', 'alarms', 'stor']);
    const other = statesOf(store('causewa'), ['store', 'y-store']);
    await Promise.all([next.refresh(), other.refresh()]);
    expect(next.gate('store').state).toMatchObject({ kind: 'paused', version: 1, by: 'token:a' });
    expect(['alarms', 'stor'].map((route) => kindOf(next, route))).toEqual(['active', 'active']);
    expect(['store', 'y-store'].map((route) => kindOf(other, route))).toEqual(['active', 'active']);
    expect(await next.change('store', { kind: 'resume' })).toBe(true);
    expect(next.gate('store').isOpen).toBe(true);
  });

  test('what the handler said is kept, too', async () => {
    const store = await open();
    const first = statesOf(store());
    await first.refresh();
    first.gate('store').gone('the handler answered 410', 0);
    expect(first.gate('store').isOpen).toBe(false);
    await until(() => first.gate('store').unsaved === undefined);
    const next = statesOf(store());
    await until(() => kindOf(next) === 'disabled');
    expect(next.gate('store').state).toMatchObject({ reason: 'the handler answered 410' });
  });
});

describe('several bridges', async () => {
  const table = await startTable();
  afterAll(() => table.close());
  let configs = 0;
  const sharedStore = (prefix: string, client = table.client) =>
    tableRouteStates(table.tableName, client, prefix);

  test('hear of each other', async () => {
    const prefix = `c${configs++}`;
    const [first, second] = [statesOf(sharedStore(prefix)), statesOf(sharedStore(prefix))];
    await first.change('store', { kind: 'pause' });
    await until(() => kindOf(second) === 'paused');
    await second.change('store', { kind: 'resume' });
    await until(() => first.gate('store').isOpen);
  });

  test('hear of each other by the change marker, and read nothing without it', async () => {
    const prefix = `c${configs++}`;
    const source = { client: table.client, tableName: table.tableName };
    const changes = new ChangeWatch({
      read: () => readChangeMarker(source),
      announcedMs: 500,
      pollMs: 20,
    });
    onTestFinished(() => changes.stop());
    const store = sharedStore(prefix);
    let reads = 0;
    const counted: RouteStateStore = {
      ...store,
      read: () => {
        reads++;
        return store.read();
      },
    };
    const states = new RouteStates({ store: counted, routes: ['store'], changes, log, pollMs: 10 });
    onTestFinished(() => states.stop());
    await until(() => reads >= 2 && !changes.areRecent);
    const before = reads;
    await delay(300);
    expect(reads).toBe(before);
    await statesOf(sharedStore(prefix)).change('store', { kind: 'pause' });
    await until(() => kindOf(states) === 'paused');
  });

  test('changes at the same time: none is lost, and all know the last', async () => {
    const prefix = `c${configs++}`;
    const bridges = Array.from({ length: 3 }, () => statesOf(sharedStore(prefix)));
    const kinds = ['pause', 'resume', 'pause'] as const;
    const done = await Promise.all(
      bridges.map((states, index) => states.change('store', { kind: kinds[index] ?? 'pause' })),
    );
    expect(done).toEqual([true, true, true]);
    const versions = () => new Set(bridges.map((states) => states.gate('store').version));
    await until(() => versions().size === 1);
    expect(new Set(bridges.map((states) => kindOf(states))).size).toBe(1);
  });

  test('a pause goes before a 410 that comes at the same time', async () => {
    const prefix = `c${configs++}`;
    const [holder, other] = [
      statesOf(sharedStore(prefix), ['store'], 60_000),
      statesOf(sharedStore(prefix)),
    ];
    await holder.refresh();
    await other.change('store', { kind: 'pause', by: 'token:a' });
    // The holder has not heard of it yet.
    holder.gate('store').gone('the handler answered 410', 0);
    expect(kindOf(holder)).toBe('disabled');
    await until(() => kindOf(holder) === 'paused');
    expect(holder.gate('store').state).toMatchObject({ version: 1, by: 'token:a' });
  });

  test('a resume that comes while nobody could store the 410', async () => {
    const prefix = `c${configs++}`;
    const states = statesOf(sharedStore(prefix, clientWithout(table, 'PutItemCommand')));
    await states.refresh();
    states.gate('store').gone('the handler answered 410', 0);
    await states.refresh();
    expect(kindOf(states)).toBe('disabled');
    // Nor can the resume be.
    expect(await states.change('store', { kind: 'resume' })).toBe(false);
    expect(kindOf(states)).toBe('disabled');
  });

  test('a table that cannot be read: at the start nothing is sent, later all stays as it was', async () => {
    let isAway = true;
    const real = sharedStore(`c${configs++}`);
    const states = statesOf({
      ...real,
      read: async () => (isAway ? Promise.reject(new Error('no answer')) : real.read()),
    });
    await until(() => states.problem('store')?.includes('no answer'));
    expect([states.gate('store').isOpen, states.gate('store').state]).toEqual([false, undefined]);
    expect(await states.change('store', { kind: 'resume' })).toBe(false);
    expect(states.gate('store').isOpen).toBe(false);
    let isOpen = false;
    void states
      .gate('store')
      .opened(new AbortController().signal)
      .then(() => {
        isOpen = true;
      });
    isAway = false;
    await until(() => isOpen);
    expect(states.problem('store')).toBeUndefined();
    isAway = true;
    await states.refresh();
    expect(states.gate('store').isOpen).toBe(true);
    expect(await states.change('store', { kind: 'pause' })).toBe(false);
    // It could not be stored, so it would not outlive the process: it does not hold, and the caller knows.
    expect(states.gate('store').isOpen).toBe(true);
  });

  test('an item that somebody deleted does not stand in the way of a change', async () => {
    const prefix = `c${configs++}`;
    const states = statesOf(sharedStore(prefix));
    for (const kind of ['pause', 'resume', 'pause'] as const)
      await states.change('store', { kind });
    await table.client.send(
      new DeleteItemCommand({
        TableName: table.tableName,
        Key: { pk: { S: 'route-state' }, sk: { S: `${prefix}-store` } },
      }),
    );
    // Deleting is no way to resume a route.
    await states.refresh();
    expect(kindOf(states)).toBe('paused');
    await states.change('store', { kind: 'pause' });
    expect(await states.change('store', { kind: 'resume' })).toBe(true);
    expect(states.gate('store').isOpen).toBe(true);
  });
});

test('what the handler said is stored before the process ends', async () => {
  const stored = new Map<string, RouteState>();
  let isAway = true;
  const states = statesOf(
    {
      isShared: false,
      read: async () => stored,
      async replace(route, state) {
        if (isAway) throw new Error('no answer');
        stored.set(route, state);
        return true;
      },
    },
    ['store'],
    60_000,
  );
  await states.refresh();
  states.gate('store').gone('the handler answered 410', 0);
  await states.refresh();
  expect(stored.size).toBe(0);
  isAway = false;
  await states.stop();
  expect(stored.get('store')).toMatchObject({ kind: 'disabled' });
});

test('a state that makes no sense keeps its own route closed, and no other', async () => {
  const folder = temporaryFolder('states');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'causeway-store.json'), '{"kind":"pau');
  const states = statesOf(folderRouteStates(folder, 'causeway'), ['store', 'alarms']);
  await states.refresh();
  expect(['store', 'alarms'].map((route) => states.gate(route).isOpen)).toEqual([false, true]);
  expect(states.problem('store')).toBe('it makes no sense, or is being read');
  // A person's word mends it, for good.
  expect(await states.change('store', { kind: 'resume' })).toBe(true);
  const next = statesOf(folderRouteStates(folder, 'causeway'));
  await until(() => next.gate('store').isOpen);
});
