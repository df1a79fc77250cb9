// A session's connections to the broker, one after the other: whether there is one, and why not. It leaves a broker
// that would drop what is not acknowledged.

import type { Logger } from 'pino';
import type { Broker } from '../connection/access.ts';
import { disconnect } from '../connection/connection.ts';
import { keepConnected } from '../connection/keep-connected.ts';
import type { Connecting, Link } from '../connection/link.ts';
import { Absence } from './absence.ts';
import type { SessionState } from './session-state.ts';
import type { Subscriber } from './subscriber.ts';

export interface SessionLinkOptions {
  readonly broker: Broker;
  readonly clientId: string;
  readonly subscriber: Subscriber;
  /** Maximum unacknowledged deliveries; the receive maximum. */
  readonly window: number;
  /** The broker drops what a connected client has not acknowledged for so long; undefined where it never does. */
  readonly unacknowledgedMs?: number | undefined;
  readonly log: Logger;
  /** Called before CONNECT of each connection. */
  readonly prepare: (connecting: Connecting) => void;
  /** When the oldest message came that is not acknowledged on this connection, by performance.now(). */
  readonly oldestMs: () => number | undefined;
  /** How many deliveries are not settled. */
  readonly unsettled: () => number;
}

export class SessionLink {
  readonly #options: SessionLinkOptions;
  readonly #stop = new AbortController();
  readonly #absence: Absence | undefined;
  #link: Link | undefined;
  /** Undefined while there is a connection: then it is for the subscriber to say. */
  #withoutConnection: SessionState | undefined = { kind: 'connecting' };

  /** Resolves when the last connection is closed. */
  readonly ended: Promise<void>;

  constructor(options: SessionLinkOptions) {
    this.#options = options;
    const { unacknowledgedMs, oldestMs } = options;
    if (unacknowledgedMs !== undefined)
      this.#absence = new Absence({
        unacknowledgedMs,
        sessionExpiryMs: options.broker.sessionExpirySeconds * 1000,
        oldestMs,
        leave: () => this.#leave(unacknowledgedMs),
      });
    this.ended = keepConnected({
      broker: options.broker,
      clientId: options.clientId,
      clean: options.broker.cleanSession,
      receiveMaximum: options.window,
      log: options.log,
      signal: this.#stop.signal,
      prepare: options.prepare,
      onConnected: (link) => this.#onConnected(link),
      untilWanted: (signal) => this.#absence?.untilOver(signal) ?? Promise.resolve(),
      onDisconnected: (reason, isRenewal) => {
        this.#absence?.disconnected();
        if (isRenewal || this.#absence?.isAway) return;
        options.log.warn({ condition: 'disconnected', reason }, 'not connected to the broker');
        this.#withoutConnection = { kind: 'disconnected', reason };
      },
    });
  }

  get state(): SessionState {
    return this.#withoutConnection ?? this.#options.subscriber.state;
  }

  /** The handler has taken something. */
  settled(): void {
    this.#absence?.settled();
  }

  /** Sends DISCONNECT, and makes no other connection. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.ended;
    this.#absence?.disconnected();
  }

  #onConnected(link: Link): void {
    const { protocolVersion, sessionPresent } = link;
    this.#options.log.info(
      { protocolVersion, sessionPresent },
      sessionPresent ? 'session resumed' : 'session started',
    );
    this.#withoutConnection = undefined;
    this.#link = link;
    this.#absence?.connected();
    this.#options.subscriber.connected(link);
  }

  #leave(unacknowledgedMs: number): void {
    const seconds = unacknowledgedMs / 1000;
    const reason = `away from the broker, which drops what is not acknowledged for ${seconds} s, until the handler takes messages`;
    this.#options.log.warn(
      { unsettledMessages: this.#options.unsettled() },
      'leaving the broker before it drops what is not acknowledged: the session stays, and the bridge comes back when the handler takes messages',
    );
    this.#withoutConnection = { kind: 'away', reason };
    if (this.#link !== undefined) void disconnect(this.#link);
  }
}
