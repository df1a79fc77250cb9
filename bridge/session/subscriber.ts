// What a session asks about the subscriptions that it should have; the session ledger answers.
import type { Link } from '../connection/link.ts';
import type { SessionState } from './session-state.ts';

/** Whose a topic is: the session's own by its filter; brought by an earlier one; or matched by none of them. */
export type TopicOwner = 'own' | 'foreign' | 'unmatched';

export interface Subscriber {
  /** The broker has accepted a connection: makes the session's subscriptions there what they should be. */
  connected(link: Link): void;
  /** Resolves, once the last connection is gone, when nothing more is done for it. */
  ended(): Promise<void>;
  /** `active` once messages come; it says nothing of whether there is a connection. */
  readonly state: SessionState;
  ownerOf(topic: string): TopicOwner;
  /** What somebody should know of the session, a line for each. */
  readonly warnings: readonly string[];
}
