// What the window holds: entries of the feed with their messages, and these as text once somebody wanted them.
import type { FeedEntry, FeedMessage, FeedPart } from '../../feed/feed-entry.ts';
import type { FeedPosition, Named } from '../../feed/position.ts';

/** A message of the window. */
export interface WindowMessage extends FeedMessage {
  readonly part: FeedPart;
  /** Named before all that is here: the request that stored it was sent again. */
  readonly isRepeated: boolean;
  /** Other entries here that name it: who has seen one of these has it. Which comes first, another process may see otherwise. */
  others?: Named[];
  /** Cursor behind it. */
  readonly cursor: string;
  /** As it is given to readers; empty where it is gone. Absent until somebody wants it. */
  text?: string;
  /** The window no longer has it, though a reader that is about to give it does. */
  isDropped?: boolean;
}

export interface WindowEntry extends FeedEntry {
  readonly messages: readonly WindowMessage[];
  /** Where a reader stands that has all of it. */
  readonly after: FeedPosition;
}
