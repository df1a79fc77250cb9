// The states of all routes: read at the start, and every two seconds where something may have changed, so that a pause reaches
// every bridge; and written so that of two changes at once none is lost.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import { type Changes, unmarkedChanges } from '../base/change-watch.ts';
import { RouteGate } from './route-gate.ts';
import { changedState, neverChanged, type RouteChange, type RouteState } from './route-state.ts';

/** Where states outlive the process. A route that was never changed has none. */
export interface RouteStateStore {
  /** Whether other bridges write there too. */
  readonly isShared: boolean;
  /** Rejects where they cannot be read; undefined stands for one that makes no sense. */
  read(): Promise<ReadonlyMap<string, RouteState | undefined>>;
  /** Puts a state in the place of one of an earlier version; false where there is a later one. */
  replace(route: string, state: RouteState): Promise<boolean>;
}

export interface RouteStatesOptions {
  readonly store: RouteStateStore;
  readonly routes: readonly string[];
  /** Whether there is anything to look for; by default nobody tells. */
  readonly changes?: Changes | undefined;
  readonly log: Logger;
  /** Time between looks at the store. */
  readonly pollMs?: number;
}

/** Writers that are in each other's way; more than a few are a bug. */
const maxTries = 5;

export class RouteStates {
  /** Time after which a change has reached every bridge that can read. */
  readonly spreadMs: number;
  readonly #store: RouteStateStore;
  readonly #log: Logger;
  readonly #gates: ReadonlyMap<string, RouteGate>;
  readonly #changes: Changes;
  readonly #unsubscribe: () => void;
  readonly #stop = new AbortController();
  #failure: string | undefined;
  /** One use of the store at a time. */
  #using: Promise<unknown> = Promise.resolve();

  constructor({
    store,
    routes,
    changes = unmarkedChanges,
    log,
    pollMs = 2000,
  }: RouteStatesOptions) {
    this.#store = store;
    this.#log = log;
    this.#gates = new Map(
      routes.map((route) => [
        route,
        new RouteGate(({ reason }) => {
          log.error(
            { condition: 'disabled', route, reason },
            'route disabled: the handler wants no more messages',
          );
          void this.refresh();
        }),
      ]),
    );
    this.spreadMs = store.isShared ? pollMs * 1.5 : 0;
    this.#changes = changes;
    this.#unsubscribe = changes.subscribe(() => void this.refresh());
    void this.#poll(pollMs);
  }

  gate(route: string): RouteGate {
    const gate = this.#gates.get(route);
    if (gate === undefined) throw new Error(`no route ${route}`);
    return gate;
  }

  /** Why a state has not been read yet; undefined once it has. */
  problem(route: string): string | undefined {
    return this.gate(route).state === undefined
      ? (this.#failure ?? 'it makes no sense, or is being read')
      : undefined;
  }

  /** Whether a person's change is stored. It holds here from now on, and for other bridges within {@link spreadMs}. */
  async change(
    route: string,
    change: RouteChange & { kind: 'pause' | 'resume' | 'retry' },
  ): Promise<boolean> {
    const gate = this.gate(route);
    const store = () => this.#inTurn(() => this.#storeChange(route, change));
    try {
      const isStored = await (change.kind === 'pause' ? gate.closedDuring(store) : store());
      if (isStored) this.#log.info({ route, by: change.by }, `route: ${change.kind}`);
      return isStored;
    } catch (error) {
      this.#log.warn({ route, reason: String(error) }, 'the state of a route cannot be stored');
      return false;
    }
  }

  /** Reads all states, and stores what waits to be. Where that fails, all stay as they are known. Never rejects. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#readAll());
  }

  /** Stores what waits to be, if it can, and ends. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#unsubscribe();
    await this.#using;
    if (this.#isUnsaved) await this.refresh();
  }

  get #isUnsaved(): boolean {
    return [...this.#gates.values()].some(({ unsaved }) => unsaved !== undefined);
  }

  #inTurn<T>(use: () => Promise<T>): Promise<T> {
    const used = this.#using.then(use);
    this.#using = used.catch(() => {});
    return used;
  }

  async #readAll(): Promise<void> {
    try {
      const stored = await this.#store.read();
      for (const [route, gate] of this.#gates) {
        const state = stored.has(route) ? stored.get(route) : neverChanged;
        if (state === undefined) continue;
        gate.adopt(state);
        const { unsaved } = gate;
        if (unsaved !== undefined && (await this.#store.replace(route, unsaved)))
          gate.adopt(unsaved);
      }
      this.#failure = undefined;
    } catch (error) {
      if (this.#failure === undefined)
        this.#log.warn({ reason: String(error) }, 'the states of the routes cannot be had');
      this.#failure = String(error);
    }
  }

  async #storeChange(route: string, change: RouteChange): Promise<boolean> {
    const gate = this.gate(route);
    for (let tries = 0; tries < maxTries; tries++) {
      const states = await this.#store.read();
      const stored = states.get(route) ?? neverChanged;
      const makesSense = stored !== neverChanged || !states.has(route);
      if (makesSense) gate.adopt(stored);
      // What the handler said and nobody has stored yet is changed by a person, too.
      const before = gate.unsaved ?? stored;
      const next = changedState(before, change, new Date().toISOString());
      if (next === stored && makesSense) return true;
      const replacing = { ...next, version: Math.max(stored.version, gate.version) + 1 };
      if (await this.#store.replace(route, replacing)) {
        gate.adopt(replacing);
        return true;
      }
    }
    throw new Error(`others changed it ${maxTries} times meanwhile`);
  }

  async #poll(pollMs: number): Promise<void> {
    const { signal } = this.#stop;
    let isFirst = true;
    while (!signal.aborted) {
      if (isFirst || this.#changes.areRecent || this.#isUnsaved || this.#failure !== undefined)
        await this.refresh();
      isFirst = false;
      await pause(pollMs, signal);
    }
  }
}
