// One route's state as this process knows it, and the gate that it opens or closes for requests.
import type { Gate } from '../forwarding/gate.ts';
import { asksForRetry, changedState, type RouteState } from './route-state.ts';

export class RouteGate implements Gate {
  readonly #onDisabled: (state: RouteState) => void;
  #stored: RouteState | undefined;
  /** Not yet stored: the handler has gone, and that holds here at once. */
  #unsaved: RouteState | undefined;
  #pausing = 0;
  #waiting: (() => void)[] = [];
  #retry: () => void = () => {};

  /** `onDisabled` is told when the handler has gone. */
  constructor(onDisabled: (state: RouteState) => void) {
    this.#onDisabled = onDisabled;
  }

  /** Undefined until it has been read once: a route that may be paused gets nothing. */
  get state(): RouteState | undefined {
    return this.#unsaved ?? this.#stored;
  }

  /** What waits to be stored. */
  get unsaved(): RouteState | undefined {
    return this.#unsaved;
  }

  get isOpen(): boolean {
    return this.#pausing === 0 && this.state?.kind === 'active';
  }

  get version(): number {
    return this.state?.version ?? 0;
  }

  opened(signal: AbortSignal): Promise<void> {
    if (this.isOpen || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        // A route may be paused any number of times while its forwarder lives.
        signal.removeEventListener('abort', end);
        resolve();
      };
      signal.addEventListener('abort', end);
      this.#waiting.push(end);
    });
  }

  onRetry(retry: () => void): void {
    this.#retry = retry;
  }

  gone(reason: string, version: number): void {
    if (this.#stored === undefined) return;
    const change = { kind: 'gone', reason, version } as const;
    const next = changedState(this.#unsaved ?? this.#stored, change, new Date().toISOString());
    if (next === this.state) return;
    this.#unsaved = next;
    this.#onDisabled(next);
  }

  /** Takes over what is stored, unless it is older than what is known. */
  adopt(stored: RouteState): void {
    if (this.#stored !== undefined && stored.version < this.#stored.version) return;
    const before = this.state;
    this.#stored = stored;
    // Whatever somebody else has made of the route since goes before what waits here.
    if (this.#unsaved !== undefined && stored.version >= this.#unsaved.version)
      this.#unsaved = undefined;
    this.#wake();
    if (before !== undefined && this.state !== undefined && asksForRetry(before, this.state))
      this.#retry();
  }

  /** Keeps the gate closed while `pausing` lasts: no request starts between the wish and its being stored. */
  async closedDuring<T>(pausing: () => Promise<T>): Promise<T> {
    this.#pausing++;
    try {
      return await pausing();
    } finally {
      this.#pausing--;
      this.#wake();
    }
  }

  #wake(): void {
    if (this.isOpen) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
