// Bridges that contend for leases in simulated time: clocks that run apart, calls that are late, lost, or done and not
// answered, processes that stand still or die. It tells when two held one lease at once.
import { setMaxListeners } from 'node:events';
import { pino } from 'pino';
import { Leases } from '../../../bridge/base/lease.ts';
import type { LeaseClock, LeaseStore } from '../../../bridge/base/lease-store.ts';
import type { StoredBridge, StoredLease } from '../../../functions/table/bridge-item.ts';

export interface SimulatedBridge {
  /** Of its clock, to the true time. */
  readonly rate: number;
  readonly offsetMs: number;
  /** When its process stands still: from, and for how long. */
  readonly stalls: readonly (readonly [atMs: number, forMs: number])[];
  readonly diesAtMs?: number | undefined;
}

export interface Simulation {
  readonly leaseMs: number;
  readonly names: readonly string[];
  /** The bridges share them evenly, and each holds its own until it is asked for it; else each gives them up now and then. */
  readonly areShared?: boolean;
  readonly bridges: readonly SimulatedBridge[];
  /** Of each call in turn: how long the way there and back take, and whether it is lost on one of them. */
  readonly calls: readonly {
    readonly thereMs: number;
    readonly backMs: number;
    readonly lost: 'there' | 'back' | undefined;
  }[];
  /** Calls are prompt and answered, and nothing stalls or dies, from then on. */
  readonly quietFromMs: number;
  readonly endMs: number;
}

export interface Outcome {
  /** Times at which two bridges held one lease. */
  readonly together: readonly number[];
  /** Leases that somebody got, or held, in the quiet time. */
  readonly alive: ReadonlySet<string>;
  /** At the end: how many each bridge holds that lives. */
  readonly counts: readonly number[];
  /** When a lease was last taken or released. */
  readonly lastMoveMs: number;
}

const log = pino({ level: 'silent' });

/** Time that goes on when nobody has anything left to do. */
class SimulatedTime {
  nowMs = 0;
  readonly #queue: { readonly atMs: number; readonly run: () => void }[] = [];

  at(atMs: number, run: () => void): void {
    const index = this.#queue.findIndex((event) => event.atMs > atMs);
    this.#queue.splice(index === -1 ? this.#queue.length : index, 0, { atMs, run });
  }

  async run(endMs: number, onStep: () => void): Promise<void> {
    // They begin.
    await new Promise(setImmediate);
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.atMs > endMs) return;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      while (this.#queue[0] !== undefined && this.#queue[0].atMs <= this.nowMs)
        this.#queue.shift()?.run();
      await new Promise(setImmediate);
      onStep();
    }
  }
}

/** The table: what is in it, at the true time. */
class SimulatedTable {
  readonly #onMove: () => void;
  readonly bridges = new Map<string, StoredBridge>();
  readonly leases = new Map<string, StoredLease>();

  constructor(onMove: () => void) {
    this.#onMove = onMove;
  }

  readonly store: LeaseStore = {
    read: async () => ({ bridges: [...this.bridges.values()], leases: [...this.leases.values()] }),
    hasBridge: async (id) => this.bridges.has(id),
    putBridge: async (bridge, expected) => {
      const { version } = this.bridges.get(bridge.id) ?? {};
      if (version === bridge.version) return true;
      if (version === undefined ? expected.length > 0 : !expected.includes(version)) return false;
      this.bridges.set(bridge.id, bridge);
      return true;
    },
    removeBridge: async (id, versions) =>
      versions.includes(this.bridges.get(id)?.version ?? '') && this.bridges.delete(id),
    putLease: async (lease, expected) => {
      if (this.leases.get(lease.name)?.version !== expected) return false;
      this.leases.set(lease.name, lease);
      this.#onMove();
      return true;
    },
    removeLease: async ({ name, version }) => {
      if (this.leases.get(name)?.version !== version) return;
      this.leases.delete(name);
      this.#onMove();
    },
  };
}

export async function simulate(simulation: Simulation): Promise<Outcome> {
  const { leaseMs, names, areShared = false, bridges, calls, quietFromMs, endMs } = simulation;
  const time = new SimulatedTime();
  let lastMoveMs = 0;
  const table = new SimulatedTable(() => {
    lastMoveMs = time.nowMs;
  });
  let callIndex = 0;
  const together: number[] = [];
  const alive = new Set<string>();
  /** Who holds what, as far as they know. */
  const holding = new Map<string, Set<number>>(names.map((name) => [name, new Set()]));

  /** When a process that would go on at this time does so; never, once it is dead. */
  function goesOnAtMs({ stalls, diesAtMs }: SimulatedBridge, atMs: number): number {
    const stall = stalls.find(([from, forMs]) => atMs >= from && atMs < from + forMs);
    const later = stall === undefined ? atMs : stall[0] + stall[1];
    return diesAtMs !== undefined && later >= diesAtMs ? Number.POSITIVE_INFINITY : later;
  }

  function storeOf(bridge: SimulatedBridge): LeaseStore {
    /** A call on its way: done at the true time, answered when the process goes on. */
    const call = <T>(run: () => Promise<T>): Promise<T> => {
      const isQuiet = time.nowMs >= quietFromMs;
      const way = calls[callIndex++ % calls.length];
      const { thereMs, backMs, lost } =
        isQuiet || way === undefined ? { thereMs: 3, backMs: 3, lost: undefined } : way;
      return new Promise((resolve, reject) => {
        time.at(time.nowMs + thereMs, () => {
          const done = lost === 'there' ? Promise.reject(new Error('lost')) : run();
          done.catch(() => {});
          time.at(goesOnAtMs(bridge, time.nowMs + backMs), () => {
            if (lost === undefined) done.then(resolve, reject);
            else reject(new Error('no answer'));
          });
        });
      });
    };
    const { store } = table;
    return {
      read: () => call(() => store.read()),
      hasBridge: (id) => call(() => store.hasBridge(id)),
      putBridge: (next, expected) => {
        const then = [...expected];
        return call(() => store.putBridge(next, then));
      },
      removeBridge: (id, versions) => {
        const then = [...versions];
        return call(() => store.removeBridge(id, then));
      },
      putLease: (lease, expected) => call(() => store.putLease(lease, expected)),
      removeLease: (lease) => call(() => store.removeLease(lease)),
    };
  }

  function clockOf(bridge: SimulatedBridge): LeaseClock {
    const { rate, offsetMs } = bridge;
    return {
      nowMs: () => time.nowMs * rate + offsetMs,
      delay: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          if (signal !== undefined) {
            setMaxListeners(0, signal);
            signal.addEventListener('abort', () => resolve(), { once: true });
          }
          time.at(goesOnAtMs(bridge, time.nowMs + ms / rate), resolve);
        }),
    };
  }

  for (const [index, bridge] of bridges.entries()) {
    const clock = clockOf(bridge);
    const shared = areShared
      ? {
          group: 'one',
          routes: new Map(names.map((name) => [name, name.replace(/-.*/, '')])),
          changes: { areRecent: true },
          announce: async () => {},
        }
      : undefined;
    const leases = new Leases({ store: storeOf(bridge), clock, leaseMs, shared, log });
    const never = new AbortController().signal;
    setMaxListeners(0, never);
    for (const name of names)
      void (async () => {
        for (let turn = 0; ; turn++) {
          const lease = await leases.acquire(name, log, never);
          if (lease === undefined) continue;
          holding.get(name)?.add(index);
          lease.lost.addEventListener('abort', () => holding.get(name)?.delete(index));
          if (lease.lost.aborted) holding.get(name)?.delete(index);
          const patienceMs = areShared ? Number.MAX_SAFE_INTEGER : ((turn % 3) + 0.5) * leaseMs;
          await clock.delay(patienceMs, AbortSignal.any([lease.lost, lease.recalled]));
          // What is in flight is settled.
          if (areShared) await clock.delay((turn % 3) * 100, lease.lost);
          holding.get(name)?.delete(index);
          await lease.release();
          if (!areShared) await clock.delay(50);
        }
      })();
  }

  await time.run(endMs, () => {
    for (const [name, holders] of holding) {
      // Who stands still does nothing; it is looked at again when it goes on.
      const acting = [...holders].filter((index) => {
        const bridge = bridges[index];
        return bridge !== undefined && goesOnAtMs(bridge, time.nowMs) === time.nowMs;
      });
      if (acting.length > 1) together.push(time.nowMs);
      if (acting.length > 0 && time.nowMs >= quietFromMs) alive.add(name);
    }
  });
  const counts = bridges.flatMap((bridge, index) =>
    goesOnAtMs(bridge, endMs) === endMs
      ? [names.filter((name) => holding.get(name)?.has(index)).length]
      : [],
  );
  return { together, alive, counts, lastMoveMs };
}
