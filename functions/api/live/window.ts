// The end of the feed as one process holds it, for all of its readers: entries in one order, each message once, and the
// messages that somebody wanted as text. Its memory is bounded; who falls behind it is told.
import type { Message } from '../../contract/message.ts';
import type { FeedEntry, FeedMessage } from '../../feed/feed-entry.ts';
import type { FeedLog } from '../../feed/feed-log.ts';
import {
  behind,
  cursorOf,
  type FeedPosition,
  movedTo,
  type Named,
  seenKeyOf,
} from '../../feed/position.ts';
import type { Deletions } from '../../table/deletion.ts';
import { messageTimeOf } from '../../table/item.ts';
import { KnownKeys, keyOf } from './known-keys.ts';
import type { WindowEntry, WindowMessage } from './window-entry.ts';

export interface WindowOptions {
  readonly log: FeedLog;
  /** What the messages are, in no order; those that are gone are absent. */
  readonly fetch: (messages: readonly WindowMessage[]) => Promise<readonly Message[]>;
  /** What is deleted by now. */
  readonly deletions: () => Promise<Deletions>;
  /** A message as it is given to readers. */
  readonly render: (message: Message, cursor: string) => string;
  /** From here on it has what was stored. */
  readonly from: FeedPosition;
  readonly now: () => number;
  /** It is not read again sooner, in milliseconds. Default 0. */
  readonly pollMs?: number;
  readonly bounds?: Partial<WindowBounds>;
}

export interface WindowBounds {
  /** Messages and characters that are held. */
  readonly maxMessages: number;
  readonly maxCharacters: number;
  readonly keptMs: number;
}

const defaults: WindowBounds = {
  maxMessages: 20_000,
  maxCharacters: 8 * 1024 * 1024,
  keptMs: 15 * 60_000,
};

export class FeedWindow {
  readonly #options: WindowOptions;
  readonly #bounds: WindowBounds;
  readonly #keys: KnownKeys;
  #entries: WindowEntry[] = [];
  /** How many entries have been dropped: the number of the first one that is here. */
  #first = 0;
  #messages = 0;
  #characters = 0;
  /** Before its first entry. */
  #start: FeedPosition;
  /** What it has read, with the entries that are held back. */
  #read: FeedPosition;
  /** Behind its last entry. */
  #end: FeedPosition;
  /** They have come while others were read, and something before them may not have been seen. */
  #heldBack: FeedEntry[] = [];
  #catchingUp: Promise<boolean> | undefined;
  #caughtUpMs = Number.NEGATIVE_INFINITY;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#bounds = { ...defaults, ...options.bounds };
    this.#start = options.from;
    this.#read = options.from;
    this.#end = options.from;
    this.#keys = new KnownKeys(options.log, options.from);
  }

  /** Numbers of the first entry, and of the one to come. */
  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#first + this.#entries.length;
  }

  /** Who stands here or behind misses nothing of it. */
  get start(): FeedPosition {
    return this.#start;
  }

  /** Behind its last entry. */
  get end(): FeedPosition {
    return this.#end;
  }

  /** The entry with this number; undefined where it is gone, or not there yet. */
  entry(number: number): WindowEntry | undefined {
    return this.#entries[number - this.#first];
  }

  /** Reads what is new. Resolves with whether there was anything; several at once are one. */
  async catchUp(): Promise<boolean> {
    const { pollMs = 0 } = this.#options;
    if (performance.now() - this.#caughtUpMs < pollMs) return false;
    this.#catchingUp ??= this.#readNew().finally(() => {
      this.#catchingUp = undefined;
      this.#caughtUpMs = performance.now();
    });
    return this.#catchingUp;
  }

  /** Makes the text of these messages of an entry, which are about to be given. */
  async load(messages: readonly WindowMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const wanted = messages.filter(({ text }) => text === undefined);
    const [fetched, deletions] = await Promise.all([
      wanted.length === 0 ? [] : this.#options.fetch(wanted),
      this.#options.deletions(),
    ]);
    const found = new Map<string, Message>();
    for (const message of fetched)
      found.set(keyOf(message.topic, `${message.time}#${message.id}`), message);
    for (const one of wanted) {
      if (one.text !== undefined) continue;
      const message = found.get(keyOf(one.topic, one.key));
      this.#setText(one, message === undefined ? '' : this.#options.render(message, one.cursor));
    }
    // Also what was given to others before.
    for (const one of deletions.count === 0 ? [] : messages)
      if (deletions.has(one.topic, messageTimeOf(one.key))) this.#setText(one, '');
    if (wanted.length > 0) this.#trim();
  }

  #setText(message: WindowMessage, text: string): void {
    // What was dropped meanwhile is counted no more.
    if (message.isDropped !== true) this.#characters += text.length - (message.text?.length ?? 0);
    message.text = text;
  }

  async #readNew(): Promise<boolean> {
    const { log, now } = this.#options;
    const startedMs = now();
    const writers = await log.writers(startedMs);
    const first = await this.#readAll(writers);
    const found = [...this.#heldBack, ...first.entries];
    if (found.length === 0) {
      this.#end = movedTo(this.#end, startedMs);
      return false;
    }
    // What was stored before one of these was visible when that was read, though not when its own writer was: so all
    // are read once more. Where two writers store messages of one topic one after the other, this keeps their order.
    const later =
      writers.length > 1
        ? await this.#readAll(writers)
        : { entries: [], wholeMs: Number.POSITIVE_INFINITY };
    const lastMs = Math.min(
      Math.max(...found.map(({ stampMs }) => stampMs)),
      Math.max(first.wholeMs, later.wholeMs),
      later.wholeMs,
    );
    const all = [...found, ...later.entries].sort(inOrder);
    this.#heldBack = all.filter(({ stampMs }) => stampMs > lastMs);
    const entries = all.filter(({ stampMs }) => stampMs <= lastMs);
    await this.#keys.reach(entries, writers);
    for (const entry of entries) this.#append(entry);
    if (this.#heldBack.length === 0 && Number.isFinite(later.wholeMs) === false)
      this.#end = movedTo(this.#end, startedMs);
    this.#trim();
    return true;
  }

  /** What each writer has behind what was read; up to `wholeMs` that is all there is. */
  async #readAll(writers: readonly string[]) {
    const read = await Promise.all(
      writers.map((writer) => this.#options.log.entries(writer, seenKeyOf(this.#read, writer))),
    );
    const entries = read.flatMap((one) => one.entries);
    for (const entry of entries) this.#read = behind(this.#read, entry);
    const ends = read.flatMap((one) => (one.isWhole ? [] : (one.entries.at(-1)?.stampMs ?? [])));
    return { entries, wholeMs: Math.min(Number.POSITIVE_INFINITY, ...ends) };
  }

  #append(entry: FeedEntry): void {
    const { writer, key, stampMs } = entry;
    const named: Named = { writer, key, stampMs };
    const before = this.#end;
    this.#end = behind(before, entry);
    const count = entry.parts.reduce((sum, { messages }) => sum + messages.length, 0);
    const last = cursorOf(this.#end);
    let given = 0;
    const messages = entry.parts.flatMap((part) =>
      part.messages.map((message): WindowMessage => {
        given++;
        const first = this.#keys.add(keyOf(message.topic, message.key), named);
        const cursor =
          given === count ? last : cursorOf({ ...before, partly: { writer, key, given } });
        const isRepeated = first === 'earlier' || first === named;
        if (first === undefined || isRepeated) return { ...message, part, isRepeated, cursor };
        this.#nameAgain(first, message, named);
        return { ...message, part, isRepeated, cursor, others: [first as Named] };
      }),
    );
    this.#messages += count;
    this.#entries.push({ ...entry, messages, after: this.#end });
  }

  /** Notes at the message in its first entry that another one has it, too. */
  #nameAgain(first: Named, { topic, key }: FeedMessage, again: Named): void {
    const entry = this.#entries.find((one) => one.key === first.key && one.writer === first.writer);
    const message = entry?.messages.find((one) => one.key === key && one.topic === topic);
    if (message === undefined) return;
    message.others ??= [];
    message.others.push(again);
  }

  /** Nobody wants what is before this entry any more. */
  dropBefore(number: number): void {
    this.#drop(Math.min(number, this.next) - this.#first);
  }

  #trim(): void {
    const { maxMessages, maxCharacters, keptMs } = this.#bounds;
    const oldestMs = this.#options.now() - keptMs;
    let drop = 0;
    let messages = this.#messages;
    let characters = this.#characters;
    for (const entry of this.#entries) {
      const isTooMuch = messages > maxMessages || characters > maxCharacters;
      if (!isTooMuch && entry.stampMs >= oldestMs) break;
      // The last one stays: a reader that has not had it is about to.
      if (drop === this.#entries.length - 1) break;
      drop++;
      messages -= entry.messages.length;
      for (const { text = '' } of entry.messages) characters -= text.length;
    }
    this.#drop(drop);
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#first += count;
    for (const { messages, after } of this.#entries.splice(0, count)) {
      this.#start = after;
      this.#messages -= messages.length;
      for (const message of messages) {
        this.#characters -= message.text?.length ?? 0;
        message.isDropped = true;
      }
    }
  }
}

function inOrder(a: FeedEntry, b: FeedEntry): number {
  if (a.stampMs !== b.stampMs) return a.stampMs - b.stampMs;
  if (a.writer !== b.writer) return a.writer < b.writer ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}
