// Leases: which bridge may use a client id, send the commands, run the replays. One holder at a time; a standby takes over
// when the holder releases it, or has not shown for the lease's time that it lives. That a bridge lives is one item that it
// renews; a lease is written only when it changes hands. So what this costs does not grow with the sessions.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { BridgeAddress, StoredLease } from '../../functions/table/bridge-item.ts';
import { Heartbeat } from './heartbeat.ts';
import { LeaseLooks, type Look } from './lease-looks.ts';
import { LeaseSharing, type SharedLeases } from './lease-sharing.ts';
import type { LeaseClock, LeaseStore } from './lease-store.ts';
import { Standstill } from './standstill.ts';

/** A lease that is held. */
export interface Lease {
  /** Aborts when the bridge may be taken for dead before it has renewed: the client id must not be used any more. */
  readonly lost: AbortSignal;
  /** Aborts when another bridge is to have it, as this one has more than its share: to be released, in its own time. */
  readonly recalled: AbortSignal;
  /** It cannot be released now: it stays here, and is asked for again later, by another signal. */
  keep(): void;
  /** Lets the next one have it at once. */
  release(): Promise<void>;
}

export interface LeasesOptions {
  readonly store: LeaseStore;
  /** How long a bridge is taken for alive without renewal. */
  readonly leaseMs: number;
  /** Where the api reaches this bridge. */
  readonly address?: BridgeAddress | undefined;
  /** Those that bridges have an equal share of; who is first has any other. */
  readonly shared?: SharedLeases | undefined;
  readonly log: Logger;
  readonly clock?: LeaseClock | undefined;
}

/** How often those who wait look: a clean stop hands over within a second. */
const pollMs = 400;
/** Where each bridge has its share: all of them wait for what another one may leave, and look all the time. */
const evenPollMs = 1000;
const never = new AbortController().signal;

const systemClock: LeaseClock = { nowMs: () => performance.now(), delay: pause };

/**
 * The leases of one bridge.
 *
 * Nobody's wall clock is compared with another's. A bridge that others have seen with the same version for the whole
 * time of the lease, by their own clocks, is taken for dead by deleting its item, on condition that it has not moved: from
 * then on it cannot renew, and all that it held is free. It counts from before it sent its last renewal, so it stops first.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #clock: LeaseClock;
  readonly #standstill = new Standstill();
  #heartbeat: Promise<Heartbeat> | undefined;
  readonly #looks: LeaseLooks;
  #hasOthers = false;
  #failure: string | undefined;
  #living: Heartbeat | undefined;
  /** Names of what the heartbeat holds or is about to take; any other that the table has for it is left over from a failure. */
  readonly #names = new Set<string>();
  /** Given back, and still in the table. */
  readonly #unreleased = new Set<StoredLease>();
  readonly #sharing: LeaseSharing | undefined;
  #isLeaving = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#looks = new LeaseLooks({
      read: () => this.#readTable(),
      pollMs: () => (this.#names.size > 0 && this.#sharing?.isEven === true ? evenPollMs : pollMs),
      clock: this.#clock,
    });
    this.#sharing = options.shared && new LeaseSharing(options.shared, options.leaseMs);
  }

  /** Why leases can be neither taken nor kept just now; undefined where all is well. */
  get problem(): string | undefined {
    const failure = (this.#looks.isPolling ? this.#failure : undefined) ?? this.#living?.failure;
    return failure === undefined ? undefined : `leases: the table does not answer: ${failure}`;
  }

  /** Waits until the lease is ours; undefined when `signal` aborts first. */
  async acquire(name: string, log: Logger, signal: AbortSignal): Promise<Lease | undefined> {
    let look = await this.#looks.now();
    for (let isStandby = false; !signal.aborted; look = await this.#looks.next(signal)) {
      if (look === undefined) continue;
      const stored = look.leases.get(name);
      const isOthers = this.#sharing?.has(name) === true && !look.ours.has(name);
      if (isOthers || (stored !== undefined && this.#isHeld(stored, look))) {
        if (!isStandby)
          log.info({ clientId: name }, 'another bridge holds the session: standing by');
        isStandby = true;
        continue;
      }
      try {
        const lease = await this.#take(name, stored);
        if (lease === undefined) continue;
        log.info({ clientId: name }, 'lease acquired');
        return lease;
      } catch (error) {
        this.#failed(error);
      }
    }
    return undefined;
  }

  /** Takes no share any more: what is released from now on is for the others at once. */
  leave(): void {
    this.#isLeaving = true;
    this.#living?.leave();
  }

  /** This bridge holds nothing any more. To be called when all leases are released. */
  async close(): Promise<void> {
    await (await this.#heartbeat?.catch(() => undefined))?.end();
  }

  #isHeld({ name, version, holder }: StoredLease, { living }: Pick<Look, 'living'>): boolean {
    if (holder !== undefined && holder === this.#living?.id) return this.#names.has(name);
    if (holder !== undefined) return living.has(holder);
    // Of an older bridge, which renews the lease itself.
    const stillMs = this.#standstill.stillMs(name, version, this.#clock.nowMs());
    return stillMs <= this.#options.leaseMs;
  }

  /** Undefined where somebody else was faster, or the holder lives after all. */
  async #take(name: string, before: StoredLease | undefined): Promise<Lease | undefined> {
    const { store } = this.#options;
    const heartbeat = await this.#alive();
    if (this.#names.has(name)) return undefined;
    this.#names.add(name);
    let isTaken = false;
    try {
      // Looks are not of one moment: a holder that is not in one may have begun since. It began before it took the lease.
      const holder = before?.holder;
      if (holder !== undefined && holder !== heartbeat.id && (await store.hasBridge(holder)))
        return undefined;
      const lease = { name, version: randomUUID(), holder: heartbeat.id };
      isTaken = (await store.putLease(lease, before?.version)) && heartbeat.isSure;
      return isTaken ? this.#held(heartbeat, lease) : undefined;
    } finally {
      if (!isTaken && !heartbeat.lost.aborted) this.#names.delete(name);
    }
  }

  #held(heartbeat: Heartbeat, lease: StoredLease): Lease {
    const { name } = lease;
    const sharing = this.#sharing?.has(name) ? this.#sharing : undefined;
    return {
      lost: heartbeat.lost,
      get recalled() {
        return heartbeat.lost.aborted ? never : (sharing?.recallOf(name) ?? never);
      },
      keep: () => sharing?.keep(name, this.#clock.nowMs()),
      release: async () => {
        if (heartbeat.lost.aborted) return;
        sharing?.released(name);
        this.#names.delete(name);
        await this.#remove(lease);
      },
    };
  }

  /** Where that fails, it is done after the next renewal; it is free when this bridge ends, at the latest. */
  async #remove(lease: StoredLease): Promise<void> {
    this.#unreleased.add(lease);
    const { store, log } = this.#options;
    try {
      await store.removeLease(lease);
      this.#unreleased.delete(lease);
    } catch (error) {
      const { name: clientId } = lease;
      log.warn({ clientId, reason: String(error) }, 'the lease could not be released yet');
    }
  }

  /** The heartbeat of this bridge; after one that was lost, another one, which holds nothing of what that held. */
  #alive(): Promise<Heartbeat> {
    this.#heartbeat ??= this.#begin().catch((error) => {
      this.#heartbeat = undefined;
      throw error;
    });
    return this.#heartbeat;
  }

  async #begin(): Promise<Heartbeat> {
    const { shared } = this.#options;
    await shared?.announce();
    const heartbeat = await Heartbeat.start({
      ...this.#options,
      clock: this.#clock,
      group: shared?.group,
      onBeat: () => {
        for (const lease of this.#unreleased) void this.#remove(lease);
        // Those that died without a lease are in nobody's way, but would stay for ever.
        if (this.#hasOthers || shared?.changes.areRecent) void this.#looks.now();
      },
    });
    // Its first write may have taken longer than it lasts.
    if (!heartbeat.isSure) throw new Error('no answer in time');
    const forget = () => {
      this.#heartbeat = undefined;
      this.#names.clear();
      this.#unreleased.clear();
      this.#sharing?.clear();
    };
    heartbeat.lost.addEventListener('abort', forget, { once: true });
    this.#living = heartbeat;
    return heartbeat;
  }

  /** A look at the table; undefined where it does not answer. Deletes the bridges that have stood still. */
  async #readTable(): Promise<Look | undefined> {
    const { store, leaseMs, log } = this.#options;
    try {
      // Who is to have a share has to be seen.
      const self = this.#sharing && !this.#isLeaving ? (await this.#alive()).id : undefined;
      const { bridges, leases } = await store.read();
      const others = bridges.filter(({ id }) => id !== this.#living?.id);
      this.#hasOthers = others.length > 0;
      const renewed = leases.filter(({ holder }) => holder === undefined);
      this.#standstill.look(
        new Map([
          ...others.map(({ id, version }) => [id, version] as const),
          ...renewed.map(({ name, version }) => [name, version] as const),
        ]),
        this.#clock.nowMs(),
      );
      const living = new Set(bridges.map(({ id }) => id));
      for (const { id, version, leaseMs: theirs } of others) {
        // Another deployment of the same config may renew less often.
        const deadMs = Math.max(leaseMs, theirs);
        if (this.#standstill.stillMs(id, version, this.#clock.nowMs()) <= deadMs) continue;
        if (!(await store.removeBridge(id, [version]))) continue;
        log.warn({ bridge: id }, 'a bridge has stood still: what it held is free');
        living.delete(id);
      }
      this.#failure = undefined;
      const look = { leases: new Map(leases.map((lease) => [lease.name, lease])), living };
      const ours =
        self === undefined || self !== this.#living?.id
          ? undefined
          : this.#sharing?.look({
              self,
              bridges: bridges.filter(({ id }) => living.has(id)),
              leases: look.leases,
              own: this.#names,
              isHeld: (lease) => this.#isHeld(lease, look),
              nowMs: this.#clock.nowMs(),
            });
      return { ...look, ours: ours ?? new Set() };
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): void {
    if (this.#failure === undefined)
      this.#options.log.warn({ reason: String(error) }, 'the lease table does not answer');
    this.#failure = String(error);
  }
}
