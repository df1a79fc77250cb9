// The contract between session and forwarder: a delivery and its one ack.
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
