// What a message is, wherever it travels: from the bridge in an envelope, into the table, out to a reader.

/** The MQTT 5 properties of a PUBLISH that are kept. All are absent on MQTT 3.1.1. */
export interface MessageProperties {
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  /** Pairs in the order the device sent them; a name may occur more than once [MQTT-3.3.2-18]. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
  /** Seconds the message had left to live when the broker sent it. */
  readonly messageExpirySeconds?: number;
  /** 1 says that the device declared the payload to be UTF-8 text. */
  readonly payloadFormat?: 0 | 1;
}

export type QoS = 0 | 1 | 2;

/** One PUBLISH as the bridge received it. */
export interface Message {
  /** One that the bridge minted and keeps over all its retries; or of the producer's own id and what it is unique within. */
  readonly id: string;
  /** The id that the producer gave it: others give the same ones. */
  readonly producerId?: string;
  /** URI of broker and session, such as `mqtt://broker:1883/causeway-store-0`; `id` is unique within it. */
  readonly source: string;
  readonly topic: string;
  /** Id of the replay that sends it again; absent when it comes from the broker. */
  readonly replayId?: string;
  /** When the bridge received it: RFC 3339, UTC, microseconds, strictly increasing within a session. */
  readonly time: string;
  /**
   * Where the order by time is broken, as the bridge's clock has been set back by more than a minute: what was received
   * before this message can have times up to this one, which is later than its own. The same for all that follow.
   */
  readonly receivedAfter?: string;
  /** The exact bytes. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** MQTT packet identifier; absent at QoS 0. Brokers reuse it, so it is evidence and not an identity. */
  readonly packetId?: number;
  /** The broker may have sent this message before: look back before storing it. */
  readonly possibleDuplicate?: boolean;
  readonly properties?: MessageProperties;
}

/** The longest id of a producer that is kept, in UTF-8 bytes. */
export const maxProducerIdBytes = 256;

/** Characters of the digest behind a producer's id, with the dot before it. */
export const idSuffixLength = 23;

/** The longest message id, in UTF-8 bytes: it becomes part of a sort key (limit 1,024 bytes). */
export const maxIdBytes = maxProducerIdBytes + idSuffixLength;

/** The longest source, in characters as JavaScript counts them. */
export const maxSourceLength = 2048;

/** MQTT's packet identifiers are 1 to this. */
export const maxPacketId = 65_535;
