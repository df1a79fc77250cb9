// Where a session stands with its broker.

/** Where a session stands; only `active` gets messages. */
export type SessionState =
  | { readonly kind: 'connecting'; readonly reason?: string }
  | { readonly kind: 'active' }
  | { readonly kind: 'away' | 'disconnected' | 'subscription refused'; readonly reason: string };
