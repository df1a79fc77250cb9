// A value that components look at: they are drawn again when it changes.
import { useEffect, useState } from 'preact/hooks';

export interface Store<T> {
  readonly value: T;
  set(value: T): void;
  /** Calls `listener` after each change; gives what ends that. */
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value as it is now. */
export function useStore<T>(store: Pick<Store<T>, 'value' | 'subscribe'>): T {
  const [, draw] = useState(0);
  const drawn = store.value;
  useEffect(() => {
    const again = () => draw((count) => count + 1);
    const end = store.subscribe(again);
    // Effects run after the browser has painted: a change before that was told to nobody.
    if (!Object.is(store.value, drawn)) again();
    return end;
  }, [store]);
  return drawn;
}
