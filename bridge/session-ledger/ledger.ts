// The session ledger as one bridge sees it: what it has read of it, and what it writes while it holds a session.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import { untilAborted } from '../base/aborted.ts';
import type { SessionEntry, Subscription } from './entry.ts';
import type { LedgerStore } from './ledger-store.ts';
import { type Fate, fateOf, mayLeave, type WantedSession, waitsFor } from './plan.ts';

export interface SessionLedgerOptions {
  readonly store: LedgerStore;
  /** The sessions of the config. */
  readonly wanted: readonly WantedSession[];
  /** Entries of another host are of another broker, and left alone. */
  readonly brokerHost: string;
  /** The sessions of the config are not kept by the broker. */
  readonly isClean: boolean;
  readonly log: Logger;
}

export interface LeftEntry {
  readonly entry: SessionEntry;
  readonly fate: Exclude<Fate, { kind: 'wanted' }>;
}

/** Other bridges write to a shared ledger: so often it is looked at while something is waited for. */
const pollMs = 500;
const retryMs = 1000;

export class SessionLedger {
  readonly wanted: readonly WantedSession[];
  readonly store: LedgerStore;
  readonly brokerHost: string;
  readonly #isClean: boolean;
  readonly #log: Logger;
  #entries = new Map<string, SessionEntry>();
  /** Written since a list was asked for: what that says of them may be older. */
  readonly #written = new Set<Set<string>>();
  #changed = new AbortController();
  #failure: string | undefined;
  #isListed = false;
  #updating: Promise<unknown> = Promise.resolve();

  constructor({ store, wanted, brokerHost, isClean, log }: SessionLedgerOptions) {
    this.store = store;
    this.wanted = wanted;
    this.brokerHost = brokerHost;
    this.#isClean = isClean;
    this.#log = log;
  }

  /** As they are known now. */
  get entries(): readonly SessionEntry[] {
    return [...this.#entries.values()];
  }

  /** Why it can be neither read nor written at the moment. */
  get failure(): string | undefined {
    return this.#failure;
  }

  entry(clientId: string): SessionEntry | undefined {
    return this.#entries.get(clientId);
  }

  /**
   * Reads one entry, for a session that begins to use its client id, and all of them where that was not done yet. Tries until it
   * can, or `signal` aborts: then false.
   */
  load(clientId: string, signal: AbortSignal): Promise<boolean> {
    return this.#untilDone(signal, async () => {
      if (!this.#isListed) await this.refresh();
      this.#take(clientId, await this.store.read(clientId));
    });
  }

  /** Reads all entries. Rejects where it cannot. */
  async refresh(): Promise<void> {
    const written = new Set<string>();
    this.#written.add(written);
    try {
      const entries = new Map<string, SessionEntry>();
      for (const entry of await this.store.list())
        if (entry.brokerHost === this.brokerHost) entries.set(entry.clientId, entry);
      for (const clientId of written) {
        const newer = this.#entries.get(clientId);
        if (newer === undefined) entries.delete(clientId);
        else entries.set(clientId, newer);
      }
      this.#entries = entries;
      this.#isListed = true;
    } finally {
      this.#written.delete(written);
    }
    this.#notify();
  }

  /** Says what this bridge knows before it is written: a session that waits for it goes on at once. */
  announce(entry: SessionEntry): void {
    this.#take(entry.clientId, entry);
  }

  /** Writes an entry. Tries until it can, or `signal` aborts: then false. */
  put(entry: SessionEntry, signal: AbortSignal): Promise<boolean> {
    return this.#untilDone(signal, async () => {
      await this.store.put(entry);
      this.#take(entry.clientId, entry);
    });
  }

  /** Writes what `change` makes of an entry: for those of which several parts of a bridge know something. */
  update(
    clientId: string,
    change: (entry: SessionEntry) => SessionEntry,
    signal: AbortSignal,
  ): Promise<boolean> {
    const updated = this.#updating.then(async () => {
      const entry = this.#entries.get(clientId);
      return entry !== undefined && this.put(change(entry), signal);
    });
    this.#updating = updated;
    return updated;
  }

  /** As {@link put}: the session has ended. */
  remove(clientId: string, signal: AbortSignal): Promise<boolean> {
    return this.#untilDone(signal, async () => {
      await this.store.remove(clientId);
      this.#take(clientId, undefined);
    });
  }

  /** Entries of sessions that the config does not want, with what becomes of each. */
  get left(): readonly LeftEntry[] {
    return this.entries.flatMap((entry) => {
      const fate = fateOf(entry, this.wanted);
      return fate.kind === 'wanted' ? [] : [{ entry, fate }];
    });
  }

  /** The client ids that a wanted session has to wait for, before it subscribes. */
  waitsFor(session: WantedSession): readonly string[] {
    return waitsFor(session, this.entries, this.wanted);
  }

  mayLeave(entry: SessionEntry, subscription: Subscription): boolean {
    // Sessions that are not kept subscribe with each connection, and are in no ledger.
    return this.#isClean || mayLeave(entry, subscription, this.entries, this.wanted);
  }

  /** Resolves when an entry has changed, when others may have changed one, or when `signal` aborts. */
  async untilChanged(signal: AbortSignal): Promise<void> {
    const changed = this.#changed.signal;
    if (!this.store.isShared) return untilAborted(changed, signal);
    const either = AbortSignal.any([changed, signal]);
    await pause(pollMs, either);
    if (!either.aborted) await this.refresh().catch((error) => this.#failed(error));
  }

  #take(clientId: string, entry: SessionEntry | undefined): void {
    for (const written of this.#written) written.add(clientId);
    if (entry === undefined || entry.brokerHost !== this.brokerHost) this.#entries.delete(clientId);
    else this.#entries.set(clientId, entry);
    this.#notify();
  }

  #notify(): void {
    const before = this.#changed;
    this.#changed = new AbortController();
    before.abort();
  }

  #failed(error: unknown): void {
    const reason = String(error);
    if (this.#failure === undefined)
      this.#log.error({ reason }, 'the session ledger cannot be had');
    this.#failure = reason;
  }

  async #untilDone(signal: AbortSignal, attempt: () => Promise<void>): Promise<boolean> {
    while (!signal.aborted) {
      try {
        await attempt();
        this.#failure = undefined;
        return true;
      } catch (error) {
        this.#failed(error);
        await pause(retryMs, signal);
      }
    }
    return false;
  }
}
