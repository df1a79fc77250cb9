// Publishers wait for the server's own sessions: a PUBLISH that one of them has no room for is neither handed on nor
// acknowledged before it has. So what is acknowledged gets to the bridge, however far behind it is.
import { type Message, messageBytes, ownMessage } from '../packets/message.ts';
import type { Subscriptions } from '../routing/subscriptions.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Connection } from './connection.ts';

export interface BackPressureParts {
  readonly sessions: Sessions;
  readonly subscriptions: Subscriptions<Session>;
  readonly limits: Pick<BrokerSettings['limits'], 'maxIncomingInflight' | 'maxHeldBytes'>;
  /** Publishes and acknowledges a message that has waited. */
  readonly pass: (connection: Connection, message: Message, packetId: number) => void;
  /** A message waits for this session. */
  readonly onHeld: (session: Session) => void;
}

/** `no room`: what waits already is too much, and the message is not taken. */
export type Taken = 'may pass' | 'waits' | 'no room';

interface Held {
  readonly message: Message;
  readonly packetId: number;
  /** Undefined where it waits behind others of its client. */
  session: Session | undefined;
}

/** How often it is looked for room while somebody waits: short beside the time in which a full queue is sent. */
const lookMs = 10;
/**
 * In times of `maxHeldBytes`: above that nobody is read who waits already, and the first message of each other client still has
 * room up to here. Without an end to it, each connection could add a packet of the largest size.
 */
const maxOverrun = 2;
/** Messages that pass in one turn of the event loop. */
const maxPassed = 1000;

export class BackPressure {
  readonly #parts: BackPressureParts;
  /** In the order of each client; who has had its turn goes to the end. */
  readonly #held = new Map<Connection, Held[]>();
  #messages = 0;
  #bytes = 0;
  /** Somebody is not read because of what all hold together. */
  #hasStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: BackPressureParts) {
    this.#parts = parts;
  }

  /** Messages that wait. */
  get messages(): number {
    return this.#messages;
  }

  heldOf(connection: Connection): number {
    return this.#held.get(connection)?.length ?? 0;
  }

  /** Whether the client's next packets may be read: what it has under way is bounded, and what all hold together. */
  mayRead(connection: Connection): boolean {
    const { maxIncomingInflight, maxHeldBytes } = this.#parts.limits;
    const held = this.heldOf(connection);
    if (connection.answers.size + held >= maxIncomingInflight) return false;
    if (held === 0 || this.#bytes < maxHeldBytes) return true;
    this.#hasStopped = true;
    return false;
  }

  /** Takes the message where it has to wait. What its client sends next waits behind it [MQTT-4.6.0-2]. */
  take(connection: Connection, message: Message, packetId: number): Taken {
    const before = this.#held.get(connection);
    const session = before === undefined ? this.#fullFor(message) : undefined;
    if (before === undefined && session === undefined) return 'may pass';
    if (session !== undefined) this.#parts.onHeld(session);
    const maxBytes = maxOverrun * this.#parts.limits.maxHeldBytes;
    if (this.#bytes + messageBytes(message) > maxBytes) return 'no room';
    const one: Held = { message: ownMessage(message), packetId, session };
    if (before === undefined) this.#held.set(connection, [one]);
    else before.push(one);
    this.#count(1, message);
    this.#timer ??= setTimeout(() => this.#look(), lookMs).unref();
    return 'waits';
  }

  /** The connection has ended. Its client has no PUBACK for what waits, and sends it again. */
  drop(connection: Connection): void {
    for (const { message } of this.#held.get(connection) ?? []) this.#count(-1, message);
    this.#held.delete(connection);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** The session of the server's own that is to get the message, and has no room. */
  #fullFor(message: Message): Session | undefined {
    const { sessions, subscriptions } = this.#parts;
    const full = sessions.own.fullFor(message);
    if (full.length === 0) return undefined;
    const { members, groups } = subscriptions.routesOf(message.topic);
    return full.find(
      (session) =>
        members.some(({ member, qos }) => member === session && qos > 0) ||
        // Of a shared subscription another member may have room.
        groups.some(
          (group) =>
            group.members.includes(session) && group.members.every((one) => full.includes(one)),
        ),
    );
  }

  /** Lets pass what there is room for, one message of each client in turn. */
  #look(): void {
    this.#timer = undefined;
    let left = maxPassed;
    for (let passed = true; passed && left > 0; ) {
      passed = false;
      for (const [connection, held] of [...this.#held]) {
        const [first] = held;
        if (first === undefined || left === 0 || this.#waits(first)) continue;
        passed = true;
        left--;
        held.shift();
        this.#count(-1, first.message);
        this.#held.delete(connection);
        if (held.length > 0) this.#held.set(connection, held);
        this.#parts.pass(connection, first.message, first.packetId);
        connection.readOn();
      }
    }
    this.#readOn();
    if (this.#held.size > 0) this.#timer ??= setTimeout(() => this.#look(), lookMs).unref();
  }

  /** Those whose own messages still wait are read again, too, when others have made room. */
  #readOn(): void {
    if (!this.#hasStopped || this.#bytes >= this.#parts.limits.maxHeldBytes) return;
    this.#hasStopped = false;
    for (const connection of [...this.#held.keys()]) connection.readOn();
  }

  #waits(held: Held): boolean {
    const { sessions } = this.#parts;
    // Mostly it is the same one that is full, and the routes need not be looked up.
    if (held.session === undefined || !sessions.own.isFullFor(held.session, held.message))
      held.session = this.#fullFor(held.message);
    return held.session !== undefined;
  }

  #count(messages: 1 | -1, message: Message): void {
    this.#messages += messages;
    this.#bytes += messages * messageBytes(message);
  }
}
