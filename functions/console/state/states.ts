// Where routes, commands and clients stand: one stream for all that look at any of them, from the first one to the last.
import type { Failure } from '../client/client.ts';
import type { StreamEvent } from '../client/event-stream.ts';
import { parseAnswer } from '../client/json-answer.ts';
import type { Client, Command, Route } from '../client/operations.ts';
import { followStream } from './follow-stream.ts';
import { forbidden, isAdmin, me, seesClients } from './me.ts';
import type { Shown } from './resource.ts';
import { createStore, type Store } from './store.ts';

interface Lists {
  readonly route: { readonly routes: readonly Route[]; readonly isComplete: boolean };
  readonly command: { readonly commands: readonly Command[]; readonly isComplete: boolean };
  readonly client: { readonly clients: readonly Client[]; readonly isComplete: boolean };
}
type Kind = keyof Lists;

/** A list that is kept as it is on the server. */
export interface States<T> extends Pick<Store<Shown<T>>, 'value' | 'subscribe'> {
  /** Asks for all of it again. */
  reload(): void;
}

const stores: { readonly [K in Kind]: Store<Shown<Lists[K]>> } = {
  route: createStore({}),
  command: createStore({}),
  client: createStore({}),
};

const set = <K extends Kind>(kind: K, shown: Shown<Lists[K]>) => stores[kind].set(shown);
const show = <K extends Kind>(kind: K, value: Lists[K]) => set(kind, { value, at: Date.now() });

/** The list with an entry that is new in it, or has changed. */
function withEntry<T>(list: readonly T[], entry: T, key: (entry: T) => string): readonly T[] {
  const isKnown = list.some((one) => key(one) === key(entry));
  return isKnown
    ? list.map((one) => (key(one) === key(entry) ? entry : one))
    : // Newest first, where there is an order.
      [entry, ...list];
}

function onEvent({ event, data }: StreamEvent): void {
  const told = parseAnswer(data);
  const [routes, commands, clients] = [stores.route, stores.command, stores.client].map(
    ({ value }) => value.value,
  ) as [Lists['route']?, Lists['command']?, Lists['client']?];
  if (event === 'problem') {
    const { kind, problem } = told as { readonly kind: Kind; readonly problem: Failure };
    stores[kind].set({ ...stores[kind].value, failure: problem } as never);
  } else if (event === 'routes') show('route', told as Lists['route']);
  else if (event === 'commands') show('command', told as Lists['command']);
  else if (event === 'clients') show('client', told as Lists['client']);
  else if (event === 'route' && routes !== undefined)
    show('route', {
      ...routes,
      routes: withEntry(routes.routes, told as Route, ({ name }) => name),
    });
  else if (event === 'command' && commands !== undefined)
    show('command', {
      ...commands,
      commands: withEntry(commands.commands, told as Command, ({ id }) => id),
    });
  else if (event === 'client' && clients !== undefined)
    show('client', {
      ...clients,
      clients: withEntry(clients.clients, told as Client, ({ clientId }) => clientId),
    });
}

let watchers = 0;
let closing = new AbortController();

function open(): void {
  const caller = me.value.value;
  const maySeeClients = caller !== undefined && seesClients(caller);
  if (!isAdmin()) set('route', { failure: forbidden });
  if (!maySeeClients) show('client', { clients: [], isComplete: true });
  const kinds = [...(isAdmin() ? ['route'] : []), 'command', ...(maySeeClients ? ['client'] : [])];
  closing = new AbortController();
  followStream({
    path: '/v1/states/live',
    query: { kinds: kinds.join(',') },
    signal: closing.signal,
    onOpen: () => {},
    onEvent,
    // An ordinary call says why: whether the api is away, or the token no longer good.
    onLost: () => void me.reload(),
    restsUnseen: true,
  });
}

function statesOf<K extends Kind>(kind: K): States<Lists[K]> {
  return {
    get value() {
      return stores[kind].value;
    },
    subscribe(listener) {
      const end = stores[kind].subscribe(listener);
      if (watchers++ === 0) open();
      return () => {
        end();
        if (--watchers === 0) closing.abort();
      };
    },
    reload() {
      closing.abort();
      if (watchers > 0) open();
    },
  };
}

export const routes = statesOf('route');
/** Those that failed or expired. */
export const troubledCommands = statesOf('command');
export const presence = statesOf('client');
