// One connection of a client, from its first packet to its end: who it is, and what it may do. What its packets mean is in
// the files beside this one; bytes and timers are in stream.ts.

import type { TopicRights } from '../access/topic-rights.ts';
import { disconnect } from '../packets/answers.ts';
import type { Version } from '../packets/connect.ts';
import type { Fault } from '../packets/cursor.ts';
import { Reason } from '../packets/reasons.ts';
import type { Session } from '../session/session.ts';
import type { DelayedWill } from '../store/records.ts';
import type { ConnectionFacts, DisconnectReason, Transport } from '../telemetry/events.ts';
import type { Delivering } from './delivering.ts';
import type { Link } from './link.ts';
import { OrderedAnswers } from './ordered-answers.ts';

export interface Origin {
  readonly address: string;
  readonly transport: Transport;
  readonly certificateName: string | undefined;
}

/** What a client is once it has been let in. */
export interface Client {
  readonly clientId: string;
  readonly user: string | undefined;
  readonly rights: TopicRights;
  readonly version: Version;
  readonly clean: boolean;
  /** As the client has to keep it: the server's, where that is shorter. */
  readonly keepAliveSeconds: number;
  readonly session: Session;
  readonly delivering: Delivering;
}

/** `waiting`: for CONNECT; `admitting`: until it is decided; `open`: the client has its CONNACK. */
export type State = 'waiting' | 'admitting' | 'open' | 'closed';

export interface Ending {
  readonly reason: DisconnectReason;
  readonly detail?: string;
}

export interface ConnectionHooks {
  /** The connection of a client with a CONNACK has ended. */
  readonly onEnd: (connection: Connection) => void;
  /** The client has broken a rule. */
  readonly onFault: (connection: Connection, fault: Fault) => void;
  /** Answers that waited have been sent, or a message that waited has been handed on. */
  readonly onRoom: () => void;
}

export class Connection {
  readonly epoch: number;
  readonly origin: Origin;
  readonly link: Link;
  readonly answers: OrderedAnswers;
  state: State = 'waiting';
  #client: Client | undefined;
  will: DelayedWill | undefined;
  /** Undefined while the connection is there. */
  ending: Ending | undefined;
  /** Topics by the aliases that the client gave them; none is made before the first. */
  aliases: Map<number, string> | undefined;
  /** QoS 1 messages whose PUBACK is not sent. */
  unacknowledged = 0;
  readonly #hooks: ConnectionHooks;
  readonly #listeners = new Set<() => void>();

  constructor(epoch: number, origin: Origin, link: Link, hooks: ConnectionHooks) {
    this.epoch = epoch;
    this.origin = origin;
    this.link = link;
    this.#hooks = hooks;
    this.answers = new OrderedAnswers(
      (bytes) => link.send(bytes),
      (error) => this.close({ reason: 'error', detail: String(error) }, Reason.quotaExceeded),
      hooks.onRoom,
    );
  }

  /** Of a client that has been let in. */
  get client(): Client {
    if (this.#client === undefined) throw new Error('the client has not been let in');
    return this.#client;
  }

  /** The same, also where it has not been. */
  get known(): Client | undefined {
    return this.#client;
  }

  /** The client has been let in; it can still go before its CONNACK. */
  admitted(client: Client): void {
    this.#client = client;
  }

  get facts(): ConnectionFacts {
    const { address, transport } = this.origin;
    const { clientId = '', user } = this.#client ?? {};
    return { clientId, user: user ?? null, address, transport, epoch: this.epoch };
  }

  /** Told when the connection ends; at once where it has. */
  onEnd(listener: () => void): void {
    if (this.state === 'closed') listener();
    else this.#listeners.add(listener);
  }

  offEnd(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Its next packets may be read again. */
  readOn(): void {
    this.#hooks.onRoom();
  }

  /** The client breaks a rule. */
  fail(fault: Fault): void {
    this.#hooks.onFault(this, fault);
    this.close({ reason: 'error', detail: fault.rule }, fault.silent ? undefined : fault.reason);
  }

  /** Ends it from this side. On MQTT 5 the client is told the reason, where there is one. */
  close(ending: Ending, reason?: number): void {
    if (this.state === 'closed') return;
    const tells = reason !== undefined && this.state === 'open' && this.#client?.version === 5;
    if (tells) this.link.send(disconnect(reason));
    this.#end(ending);
    this.link.close();
  }

  /** The stream has ended, or the client has said that it will. */
  gone(ending: Ending): void {
    if (this.state !== 'closed') this.#end(ending);
    this.link.close();
  }

  #end(ending: Ending): void {
    this.ending = ending;
    const wasOpen = this.state === 'open';
    this.state = 'closed';
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
    if (wasOpen) this.#hooks.onEnd(this);
  }
}
