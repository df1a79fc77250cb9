// Live messages of one process: the window that its readers share, the watch that has them noted, and a reading for each.
import type { Message } from '../../contract/message.ts';
import { createFeedLog } from '../../feed/feed-log.ts';
import { entryKeptSeconds } from '../../feed/feed-writer.ts';
import { type FeedPosition, positionAt, stragglerMs } from '../../feed/position.ts';
import { Watching, watchMarginMs } from '../../feed/watch.ts';
import type { ItemSource } from '../../table/partition.ts';
import { messageJson } from '../messages/representation.ts';
import { event } from './events.ts';
import { createFetch } from './fetch.ts';
import { createKnownDeletions } from './known-deletions.ts';
import { type Missed, Reading } from './reading.ts';
import { FeedWindow, type WindowBounds } from './window.ts';

export interface LiveOptions extends ItemSource {
  /** How often ingest looks whether somebody watches, in milliseconds. */
  readonly checkMs: number;
  readonly now?: (() => number) | undefined;
  /** The table is asked for what is new no sooner, however many readers there are, in milliseconds. Default 200. */
  readonly pollMs?: number;
  /** Whether readers read on what the shared window has no more: those that ask again each time are never slow. */
  readonly catchesUp: boolean;
  /** Of the shared window. */
  readonly bounds?: Partial<WindowBounds> | undefined;
  /** The shared window is given up once nobody has read for so long, in milliseconds. Default 60,000. */
  readonly idleMs?: number;
}

export interface Opened {
  readonly reading: Reading;
  /** When nothing that is stored is missed any more, in milliseconds since 1970; maybe long ago. */
  readonly readyMs: number;
  /** What was stored while nobody watched, since the reader was there last. */
  readonly missed: Missed | undefined;
}

export interface Live {
  /** A reader that goes on behind a position, or begins with what is stored from now on. */
  open(position: FeedPosition | undefined, isWanted: (topic: string) => boolean): Promise<Opened>;
  /** To be called now and then while there is a reader. */
  renew(): Promise<void>;
}

/** Entries about to expire may be gone before they are read. */
const expiryMarginMs = 3_600_000;

export function createLive({
  client,
  tableName,
  checkMs,
  now = Date.now,
  pollMs = 200,
  catchesUp,
  bounds = {},
  idleMs = 60_000,
}: LiveOptions): Live {
  const source = { client, tableName };
  const watching = new Watching(source, now);
  const log = createFeedLog(source);
  const fetch = createFetch(source);
  const deletions = createKnownDeletions(source, pollMs);
  const render = (message: Message, cursor: string) =>
    event('message', messageJson(message), cursor);
  const windowFrom = (from: FeedPosition, own: Partial<WindowBounds>, everyMs = 0) =>
    new FeedWindow({ log, fetch, deletions, render, from, now, bounds: own, pollMs: everyMs });
  let kept: FeedWindow | undefined;
  let idle: NodeJS.Timeout | undefined;

  /** It takes tens of megabytes, which nobody needs once its readers have gone: another one begins where it is wanted. */
  function giveUpLater(): void {
    clearTimeout(idle);
    idle = setTimeout(() => {
      kept = undefined;
    }, idleMs).unref();
  }

  return {
    async open(position, isWanted) {
      const { sinceMs } = await watching.renew();
      const readyMs = sinceMs + checkMs + watchMarginMs;
      giveUpLater();
      kept ??= windowFrom(positionAt(now() - clocksMs), bounds, pollMs);
      const shared = kept;
      const openOwn = (from: FeedPosition) => windowFrom(from, unbounded);
      if (position === undefined) {
        await shared.catchUp();
        const from = { position: shared.end, isWanted, openOwn, catchesUp };
        return { reading: new Reading(shared, from), readyMs, missed: undefined };
      }
      const reading = new Reading(shared, { position, isWanted, openOwn, catchesUp });
      // What stands below was seen: a reader's last message may be long before the end of its watch.
      const keptMs = now() - (entryKeptSeconds * 1000 - expiryMarginMs);
      const lostMs = Math.max(position.stampMs < sinceMs ? readyMs : 0, keptMs);
      const missed =
        position.stampMs < lostMs
          ? ({ fromMs: position.stampMs, toMs: lostMs, reason: 'expired' } as const)
          : undefined;
      return { reading, readyMs, missed };
    },
    async renew() {
      giveUpLater();
      await watching.renew();
    },
  };
}

/** An own window holds one read of the log at a time. */
const unbounded = {
  maxMessages: Number.POSITIVE_INFINITY,
  maxCharacters: Number.POSITIVE_INFINITY,
  keptMs: Number.POSITIVE_INFINITY,
};

/** What writers noted a moment ago may bear a later stamp, and what comes next an earlier one. */
const clocksMs = stragglerMs;
