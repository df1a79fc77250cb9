// Messages as they are stored: each once, gone on after the last one when the connection was lost; paused, they are kept
// and counted. What was missed is said.
import type { StreamEvent } from '../client/event-stream.ts';
import { parseAnswer } from '../client/json-answer.ts';
import type { Message } from '../client/operations.ts';
import { followStream } from './follow-stream.ts';
import { createStore, type Store } from './store.ts';

export interface Missed {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export interface LiveState {
  /** Newest first. */
  readonly messages: readonly Message[];
  /** `live`: what is stored comes; `lost`: the connection is away, and is tried again. */
  readonly status: 'connecting' | 'live' | 'lost';
  /** Since when it is lost. */
  readonly lostSince?: number;
  readonly isPaused: boolean;
  /** Came while paused. */
  readonly heldMessages: number;
  readonly missed: readonly Missed[];
  /** A second, of late. */
  readonly rate: number;
  /** Topics of the last second. */
  readonly speaking: ReadonlySet<string>;
}

export interface Live extends Pick<Store<LiveState>, 'value' | 'subscribe'> {
  pause(): void;
  resume(): void;
  close(): void;
}

/** Messages in the list, and that are kept while it is paused; older ones are in the history. */
const maxShown = 500;
const maxHeld = 1000;
/** The list is drawn this often at most. */
const drawMs = 150;
const rateSeconds = 5;

export function openLive(filter: string): Live {
  const closing = new AbortController();
  const store = createStore<LiveState>({
    messages: [],
    status: 'connecting',
    isPaused: false,
    heldMessages: 0,
    missed: [],
    rate: 0,
    speaking: new Set(),
  });
  let fresh: Message[] = [];
  let held: Message[] = [];
  let arrivals: { readonly at: number; readonly topic: string }[] = [];

  const set = (part: Partial<LiveState>) => store.set({ ...store.value, ...part });

  function beLive(): void {
    const { lostSince: _, ...rest } = store.value;
    if (rest.status !== 'live') store.set({ ...rest, status: 'live' });
  }

  function onEvent({ event, data }: StreamEvent): void {
    if (event === 'ready') beLive();
    if (event === 'missed')
      set({ missed: [JSON.parse(data) as Missed, ...store.value.missed].slice(0, 5) });
    if (event !== 'message') return;
    const message = parseAnswer(data) as Message;
    fresh.push(message);
    arrivals.push({ at: Date.now(), topic: message.topic });
  }

  function draw(): void {
    const now = Date.now();
    const { isPaused, messages, heldMessages, rate } = store.value;
    arrivals = arrivals.filter(({ at }) => at > now - rateSeconds * 1000);
    if (fresh.length === 0 && rate === 0) return;
    const came = fresh.reverse();
    fresh = [];
    const speaking = new Set(
      arrivals.filter(({ at }) => at > now - 1000).map(({ topic }) => topic),
    );
    const common = { rate: arrivals.length / rateSeconds, speaking };
    if (isPaused) {
      held = [...came, ...held].slice(0, maxHeld);
      set({ ...common, heldMessages: heldMessages + came.length });
    } else set({ ...common, messages: [...came, ...messages].slice(0, maxShown) });
  }

  const timer = setInterval(draw, drawMs);
  followStream({
    path: '/v1/messages/live',
    query: { filter },
    signal: closing.signal,
    // The first time it says by an event from where on nothing is missed.
    onOpen: (isBack) => isBack && beLive(),
    onEvent,
    onLost: () => set({ status: 'lost', lostSince: store.value.lostSince ?? Date.now() }),
  });
  return {
    get value() {
      return store.value;
    },
    subscribe: store.subscribe,
    pause: () => set({ isPaused: true }),
    resume() {
      const messages = [...held, ...store.value.messages].slice(0, maxShown);
      held = [];
      set({ isPaused: false, heldMessages: 0, messages });
    },
    close() {
      clearInterval(timer);
      closing.abort();
    },
  };
}
