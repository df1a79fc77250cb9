// The connection that commands leave on, and what a connection that breaks says about those in flight.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Broker } from '../broker/access.ts';
import { commandsClientId } from '../broker/client-ids.ts';
import type { Link } from '../broker/connection.ts';
import { keepConnected } from '../broker/keep-connected.ts';
import type { CommandsConfig } from '../config.ts';
import { profileOf } from '../profiles/profiles.ts';
import { PublishWindow } from './publish-window.ts';

export interface PublisherOptions {
  readonly broker: Broker;
  readonly commands: Pick<CommandsConfig, 'window' | 'ackTimeoutMs'>;
  readonly log: Logger;
  /** Commands may be published, until `window` is closed. */
  readonly onConnected: (link: Link, window: PublishWindow) => void;
  /** Whether a connection that ended may have done so because of something else than a publish. */
  readonly isExcused: (link: Link) => boolean;
}

/** After so many connections in a row that ended with it alone in flight, a command is given up. */
const maxLonelyCloses = 2;

/** Beyond these the oldest are forgotten, and found again if they are guilty. */
const maxSuspects = 10_000;

export class Publisher {
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  /**
   * Commands that were in flight when a connection broke, with the number of times that each was alone. A broker may
   * refuse a publish by closing, and would close again on each new connection; alone in flight, the culprit shows.
   */
  readonly #suspects = new LRUCache<
    string,
    { readonly lonelyCloses: number; readonly reason: string }
  >({ max: maxSuspects });
  #link: Link | undefined;
  #window: PublishWindow | undefined;

  constructor({ broker, commands, log, onConnected, isExcused }: PublisherOptions) {
    const profile = profileOf(broker.profile);
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
        this.#link = link;
        this.#window = new PublishWindow({
          link,
          ...commands,
          rules: profile.rules,
          limits: profile.limits,
          isSuspect: (id) => this.#suspects.has(id),
          onSettled: (id) => this.#suspects.delete(id),
        });
        onConnected(link, this.#window);
      },
      onDisconnected: (reason, isRenewal) => {
        const inFlight = this.#window?.close(reason) ?? [];
        if (isRenewal) return;
        const isAlone = inFlight.length === 1 && this.#link !== undefined && !isExcused(this.#link);
        for (const id of inFlight) this.#accuse(id, isAlone, reason);
        log.warn({ reason }, 'publisher not connected to the broker');
      },
    });
  }

  get connected(): boolean {
    return this.#window?.closed === false && this.#link?.client.connected === true;
  }

  get inFlight(): number {
    return this.#window?.inFlight ?? 0;
  }

  /** Why a command is given up: the broker ends the connection instead of refusing it. Undefined while it is not. */
  poisonReason(id: string): string | undefined {
    const { lonelyCloses, reason } = this.#suspects.get(id) ?? { lonelyCloses: 0 };
    if (lonelyCloses < maxLonelyCloses) return undefined;
    return `the connection ended twice with this command alone in flight: ${reason}`;
  }

  /** Forgets what was held against a command. */
  forget(id: string): void {
    this.#suspects.delete(id);
  }

  /** Ends the connection at once; what is in flight becomes unknown. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#window?.close('the bridge stops');
    await this.#ended;
  }

  #accuse(id: string, isAlone: boolean, reason: string): void {
    const before = this.#suspects.get(id)?.lonelyCloses ?? 0;
    this.#suspects.set(id, { lonelyCloses: before + (isAlone ? 1 : 0), reason });
  }
}
