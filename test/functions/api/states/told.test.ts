// What a reader of states is told: what it does not have, and nothing twice.
import { expect, test } from 'vitest';
import {
  cursorPattern,
  type StateList,
  ToldStates,
} from '../../../../functions/api/states/told.ts';
import { problem } from '../../../../functions/contract/problem.ts';
import { eventsOf, type StreamState } from '../../../../infra/cli/server-sent-events.ts';

const list = (entries: Readonly<Record<string, number>>, isComplete = true): StateList => ({
  entries: Object.entries(entries).map(([key, n]) => ({ key, json: JSON.stringify({ key, n }) })),
  isComplete,
});
const routes = (entries: Readonly<Record<string, number>>) =>
  new Map([['route', list(entries)]] as const);

/** Name and data of the events in a text, and the id that a client would come back with. */
async function read(text: string, state: StreamState = {}) {
  const events: [string, unknown][] = [];
  for await (const { event, data } of eventsOf([Buffer.from(text)] as never, state))
    events.push([event, JSON.parse(data)]);
  return { events, id: state.lastEventId };
}

test('the list, then what is new in it or has changed, then the list where something has left it', async () => {
  const told = new ToldStates();
  const at = async (entries: Readonly<Record<string, number>>) =>
    (await read(told.tell(routes(entries)))).events;
  expect(await at({ a: 1, b: 1 })).toEqual([
    [
      'routes',
      {
        routes: [
          { key: 'a', n: 1 },
          { key: 'b', n: 1 },
        ],
        isComplete: true,
      },
    ],
  ]);
  expect(await at({ a: 1, b: 1 })).toEqual([]);
  expect(await at({ a: 1, b: 2, c: 1 })).toEqual([
    ['route', { key: 'b', n: 2 }],
    ['route', { key: 'c', n: 1 }],
  ]);
  expect(await at({ b: 2, c: 1 })).toMatchObject([['routes', { routes: [{ key: 'b' }, {}] }]]);
  expect(await at({})).toEqual([['routes', { routes: [], isComplete: true }]]);
});

test('a list that is no longer complete is told again, though all in it is the same', async () => {
  const told = new ToldStates();
  const at = async (isComplete: boolean) => {
    const text = told.tell(new Map([['client', list({ a: 1 }, isComplete)]] as const));
    return (await read(text)).events;
  };
  await at(true);
  expect(await at(false)).toMatchObject([['clients', { isComplete: false }]]);
  expect(await at(false)).toEqual([]);
});

test('who comes back is told the lists that have changed, and no others', async () => {
  const clients = list({ lamp: 1 }, false);
  const told = new ToldStates();
  const first = await read(told.tell(new Map([...routes({ a: 1 }), ['client', clients]] as const)));
  expect(first.events.map(([name]) => name)).toEqual(['routes', 'clients']);
  expect(first.id).toMatch(cursorPattern);
  const back = new ToldStates(first.id);
  expect(back.tell(new Map([...routes({ a: 1 }), ['client', clients]] as const))).toBe('');
  // It goes on from there as if it had never been away.
  const changed = await read(back.tell(routes({ a: 2 })));
  expect(changed.events).toEqual([['route', { key: 'a', n: 2 }]]);
  const later = new ToldStates(changed.id);
  const lists = new Map([...routes({ a: 3 }), ['client', clients]] as const);
  expect((await read(later.tell(lists))).events.map(([name]) => name)).toEqual(['routes']);
});

test('cut off between two events of a look, it comes back with the cursor before them', async () => {
  const told = new ToldStates();
  const state: StreamState = {};
  await read(told.tell(routes({ a: 1, b: 1 })), state);
  const before = state.lastEventId;
  const [one = ''] = told.tell(routes({ a: 2, b: 2 })).split(/(?<=\n\n)/);
  await read(one, state);
  expect(state.lastEventId).toBe(before);
  expect(new ToldStates(before).tell(routes({ a: 2, b: 2 }))).toContain('event: routes');
});

test('a list that cannot be read is told once, and comes again as a whole', async () => {
  const told = new ToldStates();
  told.tell(routes({ a: 1 }));
  const gone = new Map([['route', { problem: problem('bridge-unavailable') }]] as const);
  expect((await read(told.tell(gone))).events).toMatchObject([
    ['problem', { kind: 'route', problem: { code: 'bridge-unavailable' } }],
  ]);
  expect(told.tell(gone)).toBe('');
  expect((await read(told.tell(routes({ a: 1 })))).events).toMatchObject([['routes', {}]]);
});
