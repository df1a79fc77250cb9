// The stored messages of a topic, page by page.
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../../client/client.ts';
import type { Message } from '../../client/operations.ts';
import { client } from '../../state/session.ts';

/** Times of receipt, RFC 3339; open where there is none. */
export interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface History {
  readonly messages: readonly Message[];
  readonly isLoading: boolean;
  readonly failure?: Failure | undefined;
  /** Loads the next page; undefined at the end. */
  readonly more?: (() => void) | undefined;
  /** Begins with the newest again. */
  readonly reload: () => void;
}

interface State {
  readonly messages: readonly Message[];
  readonly next?: string | undefined;
  readonly failure?: Failure | undefined;
}

/** Newest first, `limit` at a time. */
export function useHistory(topic: string, { from, to }: Range, limit: number): History {
  const [state, setState] = useState<State>({ messages: [] });
  const [isLoading, setLoading] = useState(true);

  const load = async (before: State, signal?: AbortSignal) => {
    setLoading(true);
    const query = { topic, from, to, limit: String(limit), cursor: before.next };
    const result = await client.get('/v1/messages', { query, signal });
    if (signal?.aborted === true) return;
    setLoading(false);
    setState(
      result.ok
        ? {
            messages: [...before.messages, ...result.value.messages],
            next: result.value.nextCursor,
          }
        : { ...before, failure: result.failure },
    );
  };

  useEffect(() => {
    const leaving = new AbortController();
    setState({ messages: [] });
    void load({ messages: [] }, leaving.signal);
    return () => leaving.abort();
  }, [topic, from, to, limit]);

  return {
    messages: state.messages,
    isLoading,
    failure: state.failure,
    ...(state.next !== undefined && { more: () => void load(state) }),
    reload: () => void load({ messages: [] }),
  };
}
