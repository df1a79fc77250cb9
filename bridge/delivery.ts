// The contracts between the parts of a route: a delivery and its one ack, and its envelope.
import type { Message } from '../functions/contract/message.ts';

/** A message on its way through the bridge. The ack travels beside it, never inside it. */
export interface Delivery {
  readonly message: Message;
  /** Bytes that count against the window. */
  readonly bytes: number;
  /**
   * Says that the message is safe: stored by the handler or in the quarantine. Its PUBACK leaves once all
   * that arrived before it are settled too. Settling twice, or after the connection is gone, does nothing.
   */
  settle(): void;
}

/** A delivery with its message encoded once, however often it is sent. */
export interface Enveloped {
  readonly delivery: Delivery;
  readonly topic: string;
  readonly id: string;
  readonly envelope: string;
  /** Bytes that the envelope takes in a request body. */
  readonly bytes: number;
  /** Grows with every message that arrives. */
  readonly arrival: number;
  /** How often the handler was asked. */
  attempts: number;
}
