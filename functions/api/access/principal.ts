// Who a caller is and what they may do: the right to read, publish or delete, on topics that their filters match.

/**
 * `read`: messages, topics, commands and dead letters; `publish`: commands; `delete`: what is retained at the
 * broker, and dead letters, which are also replayed with it.
 */
export const rights = ['read', 'publish', 'delete'] as const;
export type Right = (typeof rights)[number];

export interface Principal {
  /** Stable name of the caller, unique among all kinds of credentials: `token:<id>`, `jwt:<issuer>:<subject>`. */
  readonly id: string;
  /** What people call it, from who made the credentials: shown, and nothing else. */
  readonly name: string;
  /** What it was given, as text; see {@link scopeText}. */
  readonly scopes: readonly string[];
  /** RFC 3339; absent where its credentials do not expire. */
  readonly expiresAt?: string | undefined;
  /** Whether the caller has the right on a topic name. Nothing is allowed that no scope names. */
  can(right: Right, topic: string): boolean;
  /** Filters that together match the topics of `filter` on which the caller has the right; none where there are none. */
  within(right: Right, filter: string): readonly string[];
  /** Whether the caller may change what concerns all topics: routes and replays. */
  readonly isAdmin: boolean;
}

/** The principal of a bearer token; undefined where the token is none of ours, has expired or was revoked. */
export type Authenticate = (token: string) => Promise<Principal | undefined>;
