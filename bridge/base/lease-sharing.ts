// The leases that bridges share, as one of them sees it: which of the free ones it may take, and which of its own it is asked to
// give up, one at a time. It decides by each look at the table, and writes nothing.
import type { StoredBridge, StoredLease } from '../../functions/table/bridge-item.ts';
import type { Changes } from './change-watch.ts';
import { type SharedLease, sharesOf } from './lease-shares.ts';
import { Standstill } from './standstill.ts';

export interface SharedLeases {
  /** Stands for which leases they are: bridges with another one share others, or none. */
  readonly group: string;
  /** The route of each, by name. */
  readonly routes: ReadonlyMap<string, string>;
  /** Whether a bridge may have come that is not known yet. */
  readonly changes: Pick<Changes, 'areRecent'>;
  /** Tells the others that one comes. */
  readonly announce: () => Promise<void>;
}

/** The table as a bridge sees it. */
export interface View {
  readonly self: string;
  /** Those that have not been taken for dead. */
  readonly bridges: readonly StoredBridge[];
  readonly leases: ReadonlyMap<string, StoredLease>;
  /** Names of those that this bridge holds: the table may be read from before it took them. */
  readonly own: ReadonlySet<string>;
  readonly isHeld: (lease: StoredLease) => boolean;
  readonly nowMs: number;
}

/** In times of the lease: so long nothing is given to a bridge that did not take what was free for it. */
const passedOver = 10;
/** So long a lease stays that could not be given up. */
const keptFor = 4;

export class LeaseSharing {
  readonly #shared: SharedLeases;
  readonly #leaseMs: number;
  /** Of those that this bridge holds. */
  readonly #recalls = new Map<string, AbortController>();
  readonly #keptUntilMs = new Map<string, number>();
  readonly #untaken = new Standstill();
  readonly #passedOverUntilMs = new Map<string, number>();
  #isEven = false;

  constructor(shared: SharedLeases, leaseMs: number) {
    this.#shared = shared;
    this.#leaseMs = leaseMs;
  }

  /** Whether each bridge had its share at the last look. */
  get isEven(): boolean {
    return this.#isEven;
  }

  has(name: string): boolean {
    return this.#shared.routes.has(name);
  }

  /** Aborts when another bridge is to have this lease. */
  recallOf(name: string): AbortSignal {
    const recall = this.#recalls.get(name) ?? new AbortController();
    this.#recalls.set(name, recall);
    return recall.signal;
  }

  /** It cannot be given up now, and is not asked for again for a while. */
  keep(name: string, nowMs: number): void {
    this.#recalls.delete(name);
    this.#keptUntilMs.set(name, nowMs + keptFor * this.#leaseMs);
  }

  released(name: string): void {
    this.#recalls.delete(name);
    this.#keptUntilMs.delete(name);
  }

  clear(): void {
    this.#recalls.clear();
    this.#keptUntilMs.clear();
  }

  /** The free leases that this bridge may take; it is asked for one of its own where it has more than its share. */
  look(view: View): ReadonlySet<string> {
    const { self, nowMs } = view;
    const peers = this.#peersIn(view);
    const { takers, surplus } = sharesOf(this.#leasesIn(view, peers), peers);
    this.#isEven = takers.size === 0 && surplus.size === 0;
    this.#untaken.look(takers, nowMs);
    for (const [name, taker] of takers)
      if (taker !== self && this.#untaken.stillMs(name, taker, nowMs) > this.#leaseMs)
        this.#passedOverUntilMs.set(taker, nowMs + passedOver * this.#leaseMs);
    this.#recallOne(surplus.get(self) ?? [], nowMs);
    return new Set([...takers].flatMap(([name, taker]) => (taker === self ? [name] : [])));
  }

  #peersIn({ self, bridges, nowMs }: View): Set<string> {
    for (const [id, untilMs] of this.#passedOverUntilMs)
      if (nowMs >= untilMs) this.#passedOverUntilMs.delete(id);
    const peers = new Set([self]);
    for (const { id, group } of bridges)
      if (group === this.#shared.group && !this.#passedOverUntilMs.has(id)) peers.add(id);
    return peers;
  }

  /** Those that are free, or held by a peer: what somebody else holds is not there to be shared. */
  #leasesIn({ self, leases, own, isHeld }: View, peers: ReadonlySet<string>): SharedLease[] {
    return [...this.#shared.routes].flatMap(([name, route]) => {
      if (own.has(name)) return { name, route, holder: self };
      const stored = leases.get(name);
      const isFree = stored === undefined || !isHeld(stored);
      const holder = isFree ? undefined : stored.holder;
      return isFree || (holder !== undefined && peers.has(holder)) ? { name, route, holder } : [];
    });
  }

  #recallOne(surplus: readonly string[], nowMs: number): void {
    if ([...this.#recalls.values()].some(({ signal }) => signal.aborted)) return;
    const name = surplus.find((each) => !(nowMs < (this.#keptUntilMs.get(each) ?? 0)));
    if (name !== undefined) this.#recalls.get(name)?.abort();
  }
}
