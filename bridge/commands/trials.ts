// What may make a broker close the connection is tried on a connection of its own, so that nobody waits behind it. A
// broker can refuse a PUBLISH or SUBSCRIBE by closing, and would do so again on each connection that follows: alone
// there, the culprit shows. A caller that has done no harm goes first.
import { LRUCache } from 'lru-cache';
import type { QueuedCommand } from '../../functions/table/queued-command.ts';
import { Bell } from '../base/bell.ts';
import type { Link } from '../connection/link.ts';
import type { PublishResult, PublishWindow } from './publish-window.ts';
import { type Subscribed, subscribeOnce } from './subscribe.ts';

/** A connection, and what publishes on it. */
export interface Connected {
  readonly link: Link;
  readonly window: PublishWindow;
  /** Something was tried on it. */
  wasUsed: boolean;
}

/** After so many connections that ended with it alone on them, what was tried is given up. */
const maxCloses = 2;

/** A caller who had a connection end is looked at more closely for so long. */
const doubtMs = 60_000;
const maxDoubted = 10_000;

interface Trial {
  readonly caller: string;
  /** Alone on the connection, as it may have ended one; else with all others that are tried. */
  isAlone: boolean;
  closes: number;
  /** Resolves with whether the connection ended on it; undefined where it was gone before. */
  readonly attempt: (connected: Connected, isAlone: boolean) => Promise<boolean | undefined>;
  readonly giveUp: (reason: string) => void;
  /** Nothing is found out any more. */
  readonly abandon: () => void;
}

export interface TrialsOptions {
  readonly ackTimeoutMs: number;
  /** A connection for trials is needed, or no longer: {@link Trials.attach} is called with it. */
  readonly onNeeded: (isNeeded: boolean) => void;
}

export class Trials {
  readonly #options: TrialsOptions;
  readonly #waiting: Trial[] = [];
  /** How many connections a caller has ended. */
  readonly #closes = new LRUCache<string, number>({ max: maxDoubted, ttl: doubtMs });
  #connected: Connected | undefined;
  readonly #bell = new Bell();
  #isTrying = false;
  #underway = 0;
  #closed = false;

  constructor(options: TrialsOptions) {
    this.#options = options;
  }

  /** Whether this caller has had a connection end lately. */
  isDoubted(caller: string): boolean {
    return this.#closes.has(caller);
  }

  /** Tries on this connection from now on. */
  attach(connected: Connected): void {
    this.#connected = connected;
    this.#bell.ring();
  }

  /** Publishes a command until it is known what becomes of it. */
  publish(command: QueuedCommand, isSuspect: boolean): Promise<PublishResult> {
    return new Promise((resolve) => {
      this.#add({
        caller: command.caller ?? '',
        isAlone: isSuspect,
        closes: 0,
        async attempt({ window }, isAlone) {
          const refused = window.refusal(command);
          const result: PublishResult =
            refused === undefined
              ? await window.publish(command, { isAlone })
              : { kind: 'refused', reason: refused };
          if (result.kind === 'offline') return undefined;
          if (result.kind === 'unknown') return true;
          resolve(result);
          return false;
        },
        giveUp: (reason) =>
          resolve({
            kind: 'refused',
            reason: `the connection ended twice with this command alone in flight: ${reason}`,
          }),
        abandon: () => resolve({ kind: 'offline' }),
      });
    });
  }

  /** Subscribes to a filter, to see whether the broker lets one. */
  subscribe(filter: string, caller: string): Promise<Subscribed> {
    const { ackTimeoutMs } = this.#options;
    return new Promise((resolve) => {
      this.#add({
        caller,
        isAlone: true,
        closes: 0,
        async attempt({ link, window }) {
          await window.whenSettled();
          if (!link.client.connected) return undefined;
          const subscribed = await subscribeOnce(link, filter, ackTimeoutMs);
          if (subscribed.kind === 'offline') return true;
          if (link.client.connected) link.client.unsubscribe(filter, () => {});
          resolve(subscribed);
          return false;
        },
        giveUp: () =>
          resolve({
            kind: 'refused',
            reason: 'the broker closed the connection on the subscription to the response topic',
          }),
        abandon: () => resolve({ kind: 'offline' }),
      });
    });
  }

  /** Tries nothing more. */
  close(): void {
    this.#closed = true;
    for (const { abandon } of this.#waiting.splice(0)) abandon();
    this.#bell.ring();
  }

  #add(trial: Trial): void {
    if (this.#closed) return trial.abandon();
    this.#waiting.push(trial);
    this.#bell.ring();
    if (!this.#isTrying) void this.#tryAll();
  }

  async #tryAll(): Promise<void> {
    this.#isTrying = true;
    this.#options.onNeeded(true);
    while (!this.#closed && this.#waiting.length + this.#underway > 0) {
      const connected = this.#connected;
      const trial = connected?.window.closed === false ? this.#takeNext() : undefined;
      if (connected === undefined || trial === undefined) await this.#bell.rung();
      else if (trial.isAlone) await this.#try(trial, connected);
      else void this.#try(trial, connected);
    }
    this.#isTrying = false;
    this.#options.onNeeded(false);
  }

  /** Of the caller who has ended the fewest connections, the one that came first. */
  #takeNext(): Trial | undefined {
    let next = -1;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [index, { caller }] of this.#waiting.entries()) {
      const closes = this.#closes.get(caller) ?? 0;
      if (closes < fewest) [next, fewest] = [index, closes];
    }
    return this.#waiting.splice(next, next === -1 ? 0 : 1)[0];
  }

  async #try(trial: Trial, connected: Connected): Promise<void> {
    const { isAlone, caller } = trial;
    this.#underway++;
    connected.wasUsed = true;
    const hasClosed = await trial.attempt(connected, isAlone);
    this.#underway--;
    this.#bell.ring();
    if (hasClosed === false) return;
    if (hasClosed && isAlone) {
      trial.closes++;
      this.#closes.set(caller, (this.#closes.get(caller) ?? 0) + 1);
    }
    if (hasClosed) trial.isAlone = true;
    if (trial.closes >= maxCloses) trial.giveUp(connected.window.closedBy ?? 'it closed');
    else if (this.#closed) trial.abandon();
    else this.#waiting.unshift(trial);
  }
}
