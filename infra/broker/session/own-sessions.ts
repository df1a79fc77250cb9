// The server's own sessions, such as the bridge's: where one is full, publishers wait instead of losing their messages.
import { isOwn } from '../access/own-user.ts';
import type { Message } from '../packets/message.ts';
import type { Session } from './session.ts';

/**
 * How long publishers wait for a session whose client is away. After that no part of the server is taken to want it any
 * more: its route may be gone.
 */
const awaitedMs = 600_000;
/** How long they wait at least after the server's start, as its parts have to connect first. */
const awaitedAfterStartMs = 60_000;

const none: readonly Session[] = [];

export class OwnSessions {
  readonly #sessions = new Set<Session>();
  readonly #startedMs = Date.now();

  /** To be told of every session, and again when it gets another owner. */
  note(session: Session): void {
    if (isOwn(session.user)) this.#sessions.add(session);
    else this.#sessions.delete(session);
  }

  delete(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Those that have no room for this message, and whose publishers have to wait. */
  fullFor(message: Message, nowMs?: number): readonly Session[] {
    let full: Session[] | undefined;
    for (const session of this.#sessions)
      if (this.isFullFor(session, message, nowMs)) {
        full ??= [];
        full.push(session);
      }
    return full ?? none;
  }

  isFullFor(session: Session, message: Message, nowMs?: number): boolean {
    if (session.ended || session.madeOutbox?.room.isFullFor(message) !== true) return false;
    if (session.connected) return true;
    const untilMs = Math.max(session.lastSeenMs + awaitedMs, this.#startedMs + awaitedAfterStartMs);
    return (nowMs ?? Date.now()) < untilMs;
  }
}
