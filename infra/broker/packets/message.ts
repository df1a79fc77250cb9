// An application message on its way from its publisher to its subscribers.

export type QoS = 0 | 1 | 2;

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  /**
   * MQTT 5 properties that are passed on unaltered, as the publisher's bytes: so user properties keep their order
   * [MQTT-3.3.2-18].
   */
  readonly properties?: Buffer;
  /** When nobody wants it any more, in ms since 1970; absent for never [MQTT-3.3.2-5]. */
  readonly expiresAtMs?: number;
}

export const hasExpired = ({ expiresAtMs }: Message, nowMs: number) =>
  expiresAtMs !== undefined && expiresAtMs <= nowMs;

/** Bytes that a message counts for in the limits of a queue; the constant is what the bookkeeping takes. */
export function messageBytes({ topic, payload, properties }: Message): number {
  return topic.length + payload.length + (properties?.length ?? 0) + 64;
}

/** A message in memory of its own: one that was read would keep the whole read of its socket. */
export function ownMessage(message: Message): Message {
  const { payload, properties } = message;
  return {
    ...message,
    payload: Buffer.from(payload),
    ...(properties !== undefined && { properties: Buffer.from(properties) }),
  };
}
