// Who is signed in: the token, kept for this tab alone, and the client that sends it.
import { createClient, type Failure } from '../client/client.ts';
import { noteOutcome } from './connection.ts';
import { createStore } from './store.ts';

const key = 'causeway.token';

/** The token; undefined before somebody has given one, or once it is no longer good. */
export const token = createStore<string | undefined>(takeFromAddress() ?? kept(key));

/** Why the token is gone, where it was refused. */
export const refusal = createStore<Failure | undefined>(undefined);

export const client = createClient({
  token: () => token.value,
  onOutcome(failure) {
    noteOutcome(failure);
    if (failure?.code !== 'unauthorized' || token.value === undefined) return;
    forget(key);
    refusal.set(failure);
    token.set(undefined);
  },
});

/** Begins with an empty page: what somebody else's token could see is gone. */
export function signIn(text: string): void {
  keep(key, text);
  location.reload();
}

export function signOut(): void {
  forget(key);
  location.reload();
}

/** `npm start` prints a link with the token in its fragment, which no server sees; it leaves the address at once. */
function takeFromAddress(): string | undefined {
  const given = /^#token=([\w.~-]+)$/.exec(location.hash)?.[1];
  if (given === undefined) return undefined;
  history.replaceState(null, '', location.pathname);
  keep(key, given);
  return given;
}

/** What this tab has kept under a name. */
export function kept(name: string): string | undefined {
  try {
    return sessionStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Where a browser keeps nothing, the token lasts as long as the page. */
export function keep(name: string, text: string): void {
  try {
    sessionStorage.setItem(name, text);
  } catch {
    // Kept in memory alone.
  }
}

export function forget(name: string): void {
  try {
    sessionStorage.removeItem(name);
  } catch {
    // Nothing is kept.
  }
}
