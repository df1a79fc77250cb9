// What differs between brokers, as a value: what unset settings become, what a broker never goes beyond, what it does
// not take, and how it tells who is online.
import type { BrokerRules } from '../../../functions/contract/broker-rules.ts';

/** What settings become that the config does not name; where absent, the bridge's own default holds. */
export interface ProfileDefaults {
  /** Tried first. */
  readonly protocolVersion?: 4 | 5;
  readonly keepaliveSeconds?: number;
  readonly sessionExpirySeconds?: number;
}

/**
 * What nobody can raise, neither the bridge nor who runs the broker: a setting beyond it is a fault of the config.
 * What an operator can set in the broker's own configuration is no limit here, and MQTT 5 brokers announce it.
 */
export interface ProfileLimits {
  readonly minKeepaliveSeconds?: number;
  readonly maxKeepaliveSeconds?: number;
  readonly maxSessionExpirySeconds?: number;
  /** Maximum messages that the broker sends unacknowledged on one connection. */
  readonly maxWindow?: number;
  /** Maximum publishes that it takes unacknowledged on one connection. */
  readonly maxPublishWindow?: number;
  /** Maximum subscriptions of one connection. */
  readonly maxSubscriptions?: number;
  /** Maximum publishes a second on one connection, both ways together. */
  readonly publishesPerSecond?: number;
  /** Maximum bytes a second on one connection. */
  readonly bytesPerSecond?: number;
  /** A connected client that has not acknowledged a message for so long loses it. */
  readonly unacknowledgedMs?: number;
  /** Longest client id. */
  readonly maxClientIdBytes?: number;
  /** Least time between two CONNECTs of one client id. */
  readonly minReconnectMs?: number;
  /** The protocol versions that it has, where not all. */
  readonly protocolVersions?: readonly (4 | 5)[];
}

/** How the broker tells which clients are online. */
export interface PresenceSource {
  /** `last-will`: it does not; devices have to say so themselves, by a retained message and a last will. */
  readonly kind: 'embedded' | 'aws-iot' | 'emqx' | 'last-will';
  /** Topic filters of its messages; none for `last-will`, where the config names the topic. */
  readonly filters: readonly string[];
}

/** Characters that the broker takes for each other in topics: a message may come on another topic than it was sent to. */
export interface Rewriting {
  readonly from: string;
  readonly to: string;
}

export interface Profile {
  readonly defaults: ProfileDefaults;
  readonly limits: ProfileLimits;
  readonly rules: BrokerRules;
  readonly presence: PresenceSource;
  /** Absent where a message comes on the topic that it was sent to. */
  readonly rewrites?: Rewriting;
  /** ALPN protocol that mqtts has to name at a port. */
  readonly alpn?: { readonly port: number; readonly protocol: string };
}
