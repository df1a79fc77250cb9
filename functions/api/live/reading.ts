// One reader's way through the feed: from its position on, what its filters and rights let through, in pages of bounded
// size. A position that the window no longer has is first read for this reader alone.
import { behind, cursorOf, type FeedPosition, hasSeen, isWithin } from '../../feed/position.ts';
import type { FeedWindow } from './window.ts';
import type { WindowEntry, WindowMessage } from './window-entry.ts';

/** What a reader is told beside messages. */
export interface Missed {
  /** When it was stored, in milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** It read too slowly; nobody watched meanwhile; or ingest could not note it. */
  readonly reason: 'slow' | 'expired' | 'not-noted';
  /** A cursor that reads it, where it can be. */
  readonly after?: string;
}

export interface Page {
  /** Events as they are sent. */
  readonly texts: readonly string[];
  readonly missed: readonly Missed[];
  /** Cursor behind it. */
  readonly cursor: string;
  /** Whether there is more at once. */
  readonly hasMore: boolean;
}

/** Messages, characters and entries that one page takes at most. */
const maxMessages = 500;
const maxCharacters = 256 * 1024;
const maxEntries = 1000;

export interface ReadingOptions {
  readonly position: FeedPosition;
  readonly isWanted: (topic: string) => boolean;
  /** A window of its own that begins at a position. */
  readonly openOwn: (position: FeedPosition) => FeedWindow;
  /** Whether it is to read all the same what the shared window no longer has, and not to be told that it was slow. */
  readonly catchesUp: boolean;
}

export class Reading {
  readonly #shared: FeedWindow;
  readonly #options: ReadingOptions;
  /** Until the shared window has all that is to come. */
  #own: FeedWindow | undefined;
  /** Number of the entry to look at next. */
  #number: number;
  #position: FeedPosition;

  constructor(shared: FeedWindow, options: ReadingOptions) {
    this.#shared = shared;
    this.#options = options;
    this.#position = options.position;
    this.#number = shared.first;
    if (!isWithin(shared.start, options.position)) this.#readAlone();
  }

  get cursor(): string {
    return cursorOf(this.#position);
  }

  /** What there is now; empty at the end. */
  async page(): Promise<Page> {
    await this.#catchUp();
    const missed: Missed[] = [];
    const texts: string[] = [];
    if (this.#own === undefined && this.#number < this.#shared.first) {
      if (!this.#options.catchesUp) missed.push(this.#skip());
      else await this.#readAlone().catchUp();
    }
    let characters = 0;
    for (let entries = 0; entries < maxEntries; entries++) {
      const window = this.#own ?? this.#shared;
      const entry = window.entry(this.#number);
      if (entry === undefined) {
        // It was dropped while the one before it was given.
        if (this.#number < window.first) return this.#pageOf(texts, missed, true);
        if (isWithin(this.#position, window.end)) this.#position = window.end;
        return this.#pageOf(texts, missed, this.#own !== undefined);
      }
      if (hasSeen(this.#position, entry)) {
        this.#number++;
        continue;
      }
      if (entry.missedSinceMs !== undefined)
        missed.push({ fromMs: entry.missedSinceMs, toMs: entry.stampMs, reason: 'not-noted' });
      const isWhole = await this.#take(window, entry, (text) => {
        texts.push(text);
        characters += text.length;
        return texts.length < maxMessages && characters < maxCharacters;
      });
      if (!isWhole) return this.#pageOf(texts, missed, true);
    }
    return this.#pageOf(texts, missed, true);
  }

  #readAlone(): FeedWindow {
    this.#own = this.#options.openOwn(this.#position);
    this.#number = this.#own.first;
    return this.#own;
  }

  /** Reads what is new, where all that was read before has been given. */
  async #catchUp(): Promise<void> {
    if (this.#own !== undefined) {
      this.#own.dropBefore(this.#number);
      if (this.#number < this.#own.next || (await this.#own.catchUp())) return;
      // All that is visible now has been given: what comes next the shared window has, which began before.
      this.#own = undefined;
      this.#number = this.#shared.first;
    }
    if (this.#number >= this.#shared.next) await this.#shared.catchUp();
  }

  /** Gives the messages of an entry, until `give` says that it is enough; resolves with whether there was no more. */
  async #take(
    window: FeedWindow,
    entry: WindowEntry,
    give: (text: string) => boolean,
  ): Promise<boolean> {
    const { writer, key, messages } = entry;
    const { partly } = this.#position;
    const isRest = partly?.writer === writer && partly.key === key;
    let given = isRest ? partly.given : 0;
    const rest = messages.slice(given);
    // Not all at once: a message may have megabytes.
    for (let start = 0; start < rest.length; start += loadedAtOnce) {
      const group = rest.slice(start, start + loadedAtOnce);
      const wanted = group.filter((one) => this.#options.isWanted(one.topic) && !this.#has(one));
      await window.load(wanted);
      const isWanted = new Set(wanted);
      for (const message of group) {
        given++;
        if (!isWanted.has(message) || !message.text) continue;
        if (give(message.text) || given === messages.length) continue;
        this.#position = { ...this.#position, partly: { writer, key, given } };
        return false;
      }
    }
    // Where another entry comes before the one that was given in part, that is still to be gone on with.
    this.#position = { ...behind(this.#position, entry), ...(!isRest && partly && { partly }) };
    this.#number++;
    return true;
  }

  /** Whether it was given before: a request that is sent again is noted again. */
  #has({ isRepeated, others = [] }: WindowMessage): boolean {
    return isRepeated || others.some((entry) => hasSeen(this.#position, entry));
  }

  /** To the end: a slow reader is to see what comes now, and can read what it missed from its cursor on. */
  #skip(): Missed {
    const { stampMs } = this.#position;
    const after = this.cursor;
    this.#number = this.#shared.next;
    this.#position = this.#shared.end;
    return { fromMs: stampMs, toMs: this.#position.stampMs, reason: 'slow', after };
  }

  #pageOf(texts: readonly string[], missed: readonly Missed[], hasMore: boolean): Page {
    return { texts, missed, cursor: this.cursor, hasMore };
  }
}

/** Messages that are read for a reader at once. */
const loadedAtOnce = 100;
