// What a page shows of the api: asked for again and again while somebody looks; an answer stays when the next one fails.
import { useEffect, useMemo } from 'preact/hooks';
import type { Failure, Result } from '../client/client.ts';
import { createStore, useStore } from './store.ts';

export interface Shown<T> {
  /** The newest answer. */
  readonly value?: T;
  /** When it came. */
  readonly at?: number;
  /** Why the newest call had none. */
  readonly failure?: Failure;
  /** When it is asked for again. */
  readonly nextAt?: number;
}

export interface Resource<T> {
  readonly value: Shown<T>;
  subscribe(listener: () => void): () => void;
  /** Asks now. */
  reload(): Promise<void>;
  /** Shows an answer that somebody else has got. */
  put(value: T): void;
}

/** Longest wait after failures. */
const maxWaitMs = 30_000;

/**
 * Asks every `everyMs` while somebody is subscribed and the tab is visible, until `isLast` says that nothing more will
 * come; just once where `everyMs` is undefined.
 */
export function createResource<T>(
  load: (signal: AbortSignal) => Promise<Result<T>>,
  everyMs?: number,
  isLast: (value: T) => boolean = () => false,
): Resource<T> {
  const store = createStore<Shown<T>>({});
  let watchers = 0;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;

  async function ask(): Promise<void> {
    clearTimeout(timer);
    running?.abort();
    const asked = new AbortController();
    running = asked;
    const result = await load(asked.signal);
    if (asked.signal.aborted) return;
    running = undefined;
    failures = result.ok ? 0 : failures + 1;
    const waitMs = result.ok
      ? isLast(result.value)
        ? undefined
        : everyMs
      : waitAfter(result.failure);
    const next = waitMs === undefined ? {} : { nextAt: Date.now() + waitMs };
    store.set(
      result.ok
        ? { value: result.value, at: Date.now(), ...next }
        : { ...store.value, failure: result.failure, ...next },
    );
    if (waitMs !== undefined && watchers > 0) timer = setTimeout(again, waitMs);
  }

  /** What the caller may not see it is not asked for again. */
  function waitAfter({ code, retryAfterSeconds = 0 }: Failure): number | undefined {
    if (code === 'forbidden' || code === 'invalid-request' || code === 'unauthorized')
      return undefined;
    if (code === 'not-found') return everyMs;
    return Math.max(Math.min(1000 * 2 ** failures, maxWaitMs), retryAfterSeconds * 1000);
  }

  const again = () => {
    if (document.visibilityState === 'visible') void ask();
  };

  function watch(): void {
    document.addEventListener('visibilitychange', again);
    addEventListener('online', again);
    void ask();
  }

  function leave(): void {
    document.removeEventListener('visibilitychange', again);
    removeEventListener('online', again);
    clearTimeout(timer);
    running?.abort();
  }

  return {
    get value() {
      return store.value;
    },
    subscribe(listener) {
      const end = store.subscribe(listener);
      if (watchers++ === 0) watch();
      return () => {
        end();
        if (--watchers === 0) leave();
      };
    },
    reload: ask,
    put: (value) => store.set({ ...store.value, value, at: Date.now() }),
  };
}

/** A resource of this component, for as long as `key` stays. */
export function useOwnResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<Result<T>>,
  everyMs?: number,
): Resource<T> & { readonly shown: Shown<T> } {
  // `key` names what is loaded.
  const resource = useMemo(() => createResource(load, everyMs), [key]);
  const shown = useStore(resource);
  return { ...resource, value: shown, shown };
}

/** Draws again at each second that something on the page counts. */
export function useSeconds(isCounting: boolean): number {
  const store = useMemo(() => createStore(Date.now()), []);
  useEffect(() => {
    if (!isCounting) return undefined;
    const timer = setInterval(() => store.set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isCounting, store]);
  useStore(store);
  return Date.now();
}
