// What a connection to the broker is to others, and what can come of a try at one.
import type { MqttClient } from 'mqtt';
import type { CertificateInUse } from './certificate-expiry.ts';
import type { Incoming } from './incoming.ts';

/** What a broker takes, by its CONNACK [MQTT-3.2.2.3]. */
export interface BrokerLimits {
  /** Maximum QoS > 0 messages unacknowledged. */
  readonly receiveMaximum: number;
  /** Largest packet in bytes; undefined where it announced none. */
  readonly maximumPacketSize: number | undefined;
  readonly maximumQoS: number;
  readonly retainAvailable: boolean;
}

/** A connection from before its first packet. */
export interface Connecting {
  readonly client: MqttClient;
  /** Its PUBLISHes, and how reading stops. */
  readonly incoming: Incoming;
}

/** A connection that the broker accepted. */
export interface Link extends Connecting {
  readonly protocolVersion: 4 | 5;
  /** The broker resumed the session of an earlier connection. */
  readonly sessionPresent: boolean;
  /** How long the broker keeps the session, where it says so; what was asked for otherwise (MQTT 5). */
  readonly sessionExpirySeconds: number | undefined;
  /** What the broker announced that it takes; no limits on MQTT 3.1.1. */
  readonly broker: BrokerLimits;
  /** Time for the answer to SUBSCRIBE and UNSUBSCRIBE. */
  readonly answerTimeoutMs: number;
  /** Settles when the connection is gone. */
  readonly closed: Promise<Closed>;
  /** The certificates that it rests on; none without TLS. */
  readonly certificates: readonly CertificateInUse[];
  /** When it has to be replaced, by performance.now(); undefined where nothing that was shown expires. */
  readonly renewAtMs?: number | undefined;
}

export interface Closed {
  /** Why, in words. */
  readonly reason: string;
  /** The broker said that another client has connected with the same client id (MQTT 5). */
  readonly takenOver: boolean;
}

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly link: Link }
  /** The broker answered CONNECT with an error code. */
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string }
  /** No CONNACK: name, network, TLS or time; `silent` where the broker closed without a word. */
  | {
      readonly kind: 'unreachable';
      readonly reason: string;
      readonly silent: boolean;
      /** TLS did not come about, for a certificate of either side. */
      readonly untrusted?: boolean;
    };
