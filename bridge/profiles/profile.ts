// What differs between brokers, as a value: what unset settings become, what a broker never goes beyond, what it does
// not take, and how it tells who is online.
import type { BrokerRules } from '../../functions/contract/broker-rules.ts';

/** What settings become that the config does not name; where absent, the bridge's own default holds. */
export interface ProfileDefaults {
  /** Tried first. */
  readonly protocolVersion?: 4 | 5;
  readonly keepaliveSeconds?: number;
  readonly sessionExpirySeconds?: number;
  /** Most unacknowledged messages of a route's connection. */
  readonly window?: number;
}

/**
 * What nobody can raise, neither the bridge nor who runs the broker: a setting beyond it is a fault of the config.
 * What an operator can set in the broker's own configuration is no limit here, and MQTT 5 brokers announce it.
 */
export interface ProfileLimits {
  readonly minKeepaliveSeconds?: number;
  readonly maxKeepaliveSeconds?: number;
  readonly maxSessionExpirySeconds?: number;
  /** Most messages that the broker sends unacknowledged on one connection. */
  readonly maxWindow?: number;
  /** Most publishes that it takes unacknowledged on one connection. */
  readonly maxPublishWindow?: number;
  /** Most subscriptions of one connection. */
  readonly maxSubscriptions?: number;
  /** Most publishes a second on one connection, both ways together. */
  readonly publishesPerSecond?: number;
  /** Most bytes a second on one connection. */
  readonly bytesPerSecond?: number;
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

export interface Profile {
  readonly defaults: ProfileDefaults;
  readonly limits: ProfileLimits;
  readonly rules: BrokerRules;
  readonly presence: PresenceSource;
  /** ALPN protocol that mqtts has to name at a port. */
  readonly alpn?: { readonly port: number; readonly protocol: string };
}
