// The one item that a bridge renews: as long as it moves, all that the bridge holds is its own. It gives everything up by
// its own clock before anybody else may take it.
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { BridgeAddress } from '../../functions/table/bridge-item.ts';
import type { LeaseClock, LeaseStore } from './lease-store.ts';

export interface HeartbeatOptions {
  readonly store: LeaseStore;
  readonly clock: LeaseClock;
  /** How long it lasts without renewal. */
  readonly leaseMs: number;
  /** Where the api reaches this bridge. */
  readonly address?: BridgeAddress | undefined;
  /** Which leases it shares with others of the same group; none by default. */
  readonly group?: string | undefined;
  /** Told after each renewal. */
  readonly onBeat?: (() => void) | undefined;
  readonly log: Logger;
}

/** Part of the time after which a holder gives up: the rest is for its sessions to end before anybody else may begin. */
const surePart = 0.75;

export class Heartbeat {
  /** Never used again: what an ended heartbeat has held is free for ever. */
  readonly id = randomUUID();
  readonly #options: HeartbeatOptions;
  readonly #startedAt = new Date().toISOString();
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #group: string | undefined;
  /** Aborts when the others have to know something at once. */
  #news = new AbortController();
  /** The version in the table; several after a renewal whose answer never came. */
  #versions: string[] = [];
  #deadlineMs = Number.NEGATIVE_INFINITY;
  #failure: string | undefined;
  #beating: Promise<unknown> | undefined;

  private constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#group = options.group;
    // Each session listens.
    setMaxListeners(0, this.#lost.signal);
  }

  /** Rejects where the first one could not be written. */
  static async start(options: HeartbeatOptions): Promise<Heartbeat> {
    const heartbeat = new Heartbeat(options);
    if (!(await heartbeat.#write())) throw new Error('another bridge has the same id');
    heartbeat.#beating = Promise.all([heartbeat.#beat(), heartbeat.#watch()]);
    return heartbeat;
  }

  /** Aborts when the bridge may be taken for dead: what it holds must not be used any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether nobody can have taken it for dead. A timer that is late, as after a suspended machine, does not matter here. */
  get isSure(): boolean {
    if (this.#options.clock.nowMs() >= this.#deadlineMs)
      this.#lose('it could not be renewed in time');
    return !this.#lost.signal.aborted;
  }

  /** Why it cannot be renewed just now. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** It goes on, and shares no leases any more. */
  leave(): void {
    this.#group = undefined;
    this.#news.abort();
  }

  /** Everything that is held is free at once. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#beating;
    if (this.#lost.signal.aborted) return;
    const { store, log } = this.#options;
    // It stands still from now on, if this fails.
    await store
      .removeBridge(this.id, this.#versions)
      .catch((error) => log.warn({ reason: String(error) }, 'the bridge could not sign off'));
  }

  #lose(reason: string): void {
    if (this.#lost.signal.aborted || this.#ended.signal.aborted) return;
    this.#options.log.error({ reason }, 'leases lost: closing all sessions');
    this.#lost.abort();
  }

  get #isOver(): boolean {
    return this.#ended.signal.aborted || this.#lost.signal.aborted;
  }

  async #write(): Promise<boolean> {
    const { store, clock, leaseMs, address } = this.#options;
    const sinceMs = clock.nowMs();
    const version = randomUUID();
    const startedAt = this.#startedAt;
    const next = { id: this.id, version, leaseMs, startedAt, address, group: this.#group };
    try {
      if (!(await store.putBridge(next, this.#versions))) return false;
    } catch (error) {
      // Written or not: the next one has to expect both. The lease runs out before there are many.
      this.#versions.push(version);
      throw error;
    }
    this.#versions = [version];
    this.#deadlineMs = sinceMs + leaseMs * surePart;
    return true;
  }

  async #beat(): Promise<void> {
    const { clock, leaseMs, onBeat, log } = this.#options;
    const over = AbortSignal.any([this.#ended.signal, this.#lost.signal]);
    while (!this.#isOver) {
      const news = this.#news.signal;
      await clock.delay(leaseMs / 4, AbortSignal.any([over, news]));
      if (this.#isOver) return;
      if (news.aborted) this.#news = new AbortController();
      try {
        if (!(await this.#write())) return this.#lose('another bridge has taken this one for dead');
        this.#failure = undefined;
        onBeat?.();
      } catch (error) {
        this.#failure = String(error);
        log.warn({ reason: this.#failure }, 'the leases could not be renewed');
      }
    }
  }

  async #watch(): Promise<void> {
    const { clock } = this.#options;
    const over = AbortSignal.any([this.#ended.signal, this.#lost.signal]);
    while (!this.#isOver && this.isSure)
      await clock.delay(Math.max(0, this.#deadlineMs - clock.nowMs()), over);
  }
}
