// The connections that commands leave on: the one for all, and while there is need of it one more for what may have made
// the broker close that one.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import type { CommandsConfig } from '../config/config.ts';
import { rulesOf } from '../config/profile-settings.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { Broker } from '../connection/access.ts';
import { commandsClientId, hasFixedCommandsId } from '../connection/client-ids.ts';
import { keepConnected } from '../connection/keep-connected.ts';
import type { Link } from '../connection/link.ts';
import { PublishWindow } from './publish-window.ts';
import { type Connected, Trials } from './trials.ts';

export interface PublisherOptions {
  readonly broker: Broker;
  readonly commands: Pick<CommandsConfig, 'window' | 'ackTimeoutMs'>;
  readonly log: Logger;
  readonly now: () => number;
  /** Commands may be published, until `window` is closed. */
  readonly onConnected: (link: Link, window: PublishWindow) => void;
  /** Whether the connection ended while a SUBSCRIBE was not answered. */
  readonly wasSubscribing: (link: Link) => boolean;
}

/** Beyond these the oldest are forgotten, and found again if they are guilty. */
const maxSuspects = 10_000;

/** The connection for trials is kept for so long after the last one. */
const idleMs = 10_000;

export class Publisher {
  /** Where that is tried which may make the broker close. */
  readonly trials: Trials;
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /** Whether there can be a second connection: none where the client id is a device that has to exist. */
  readonly #hasOwnTrials: boolean;
  /** Commands that were in flight when the connection broke. */
  readonly #suspects = new LRUCache<string, true>({ max: maxSuspects });
  #link: Link | undefined;
  #window: PublishWindow | undefined;
  #isExplained = false;
  /** Why there is no connection, as it was logged. */
  #toldReason: string | undefined;
  #trying: { readonly end: () => Promise<void> } | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: PublisherOptions) {
    const { broker, commands, log, onConnected, wasSubscribing } = options;
    this.#options = options;
    this.#hasOwnTrials = !hasFixedCommandsId(broker);
    this.trials = new Trials({
      ackTimeoutMs: commands.ackTimeoutMs,
      onNeeded: (isNeeded) => this.#needTrials(isNeeded),
    });
    this.#ended = keepConnected({
      broker,
      clientId: commandsClientId(broker),
      // Of several bridges one sends commands: the one with the lease.
      statusName: `${broker.clientIdPrefix}-commands`,
      // No session: what has no acknowledgement is unknown, and the queue still has it.
      clean: true,
      log,
      signal: this.#stop.signal,
      onConnected: (link) => {
        const window = this.#open(link);
        this.#link = link;
        this.#window = window;
        this.#toldReason = undefined;
        if (!this.#hasOwnTrials) this.trials.attach({ link, window, wasUsed: false });
        onConnected(link, window);
      },
      onDisconnected: (reason, isRenewal) => {
        const inFlight = this.#window?.close(reason) ?? [];
        this.#isExplained = false;
        if (isRenewal) return;
        for (const id of inFlight) this.#suspects.set(id, true);
        if (reason !== this.#toldReason)
          log.warn({ reason }, 'publisher not connected to the broker');
        this.#toldReason = reason;
        const wasAsking = this.#link !== undefined && wasSubscribing(this.#link);
        this.#link = undefined;
        this.#isExplained = inFlight.length > 0 || wasAsking;
      },
      isExplained: () => this.#isExplained,
    });
  }

  get connected(): boolean {
    return this.#window?.closed === false && this.#link?.client.connected === true;
  }

  get inFlight(): number {
    return this.#window?.inFlight ?? 0;
  }

  /** Whether the broker may have closed the connection on this command. */
  isSuspect(id: string): boolean {
    return this.#suspects.has(id);
  }

  /** Whether it has to be tried first: as it is suspect, or what its caller sent has ended connections. */
  needsTrial({ id, caller = '' }: Pick<QueuedCommand, 'id' | 'caller'>): boolean {
    return this.isSuspect(id) || this.isDoubted(caller);
  }

  /** Whether what this caller wants is to be kept from the connection for all. */
  isDoubted(caller: string): boolean {
    return this.#hasOwnTrials && this.trials.isDoubted(caller);
  }

  /** Forgets what was held against a command. */
  forget(id: string): void {
    this.#suspects.delete(id);
  }

  /** Ends the connections at once; what is in flight becomes unknown. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#idle);
    this.trials.close();
    this.#window?.close('the bridge stops');
    await Promise.all([this.#ended, this.#endTrials()]);
  }

  #open(link: Link): PublishWindow {
    const { broker, commands, now } = this.#options;
    return new PublishWindow({
      link,
      ...commands,
      rules: broker.rules ?? rulesOf(broker),
      limits: profileOf(broker.profile).limits,
      now,
    });
  }

  #needTrials(isNeeded: boolean): void {
    if (!this.#hasOwnTrials) return;
    clearTimeout(this.#idle);
    if (!isNeeded) this.#idle = setTimeout(() => void this.#endTrials(), idleMs).unref();
    else if (this.#trying === undefined && !this.#stop.signal.aborted) this.#startTrials();
  }

  #startTrials(): void {
    const { broker, log } = this.#options;
    const stop = new AbortController();
    let connected: Connected | undefined;
    const ended = keepConnected({
      // Its coming and going is nobody's concern.
      broker: { ...broker, status: undefined },
      clientId: commandsClientId(broker),
      clean: true,
      log: log.child({ connection: 'trials' }),
      signal: stop.signal,
      onConnected: (link) => {
        connected = { link, window: this.#open(link), wasUsed: false };
        this.trials.attach(connected);
      },
      onDisconnected: (reason) => void connected?.window.close(reason),
      isExplained: () => connected?.wasUsed === true,
    });
    this.#trying = {
      end: () => {
        connected?.window.close('no longer needed');
        stop.abort();
        return ended;
      },
    };
  }

  async #endTrials(): Promise<void> {
    const trying = this.#trying;
    this.#trying = undefined;
    await trying?.end();
  }
}
