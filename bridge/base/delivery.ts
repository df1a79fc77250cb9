// The contract between session and forwarder: a delivery and its one ack.
import type { Message } from '../../functions/contract/message.ts';

/** A message on its way through the bridge. The ack travels beside it, never inside it. */
export interface Delivery {
  readonly message: Message;
  /** When it came, by the clock of `performance.now()`, which nobody sets. */
  readonly arrivedMs: number;
  /** Why no handler is asked about it, in words: it becomes a dead letter. Undefined where nothing is wrong. */
  readonly fault?: string | undefined;
  /** Bytes that count against the window. */
  readonly bytes: number;
  /**
   * Says that the message is safe: stored by the handler or among the dead letters. Its PUBACK leaves once all
   * that arrived before it are settled too. Settling twice, or after the connection is gone, does nothing.
   */
  settle(): void;
}

/**
 * A message that memory could not hold. Its payload can be read once, in chunks, and the session reads nothing else
 * meanwhile; reading it rejects when the connection ends before.
 */
export interface StreamedDelivery extends Pick<Delivery, 'fault' | 'settle'> {
  /** With an empty payload. */
  readonly message: Message;
  readonly payloadBytes: number;
  readonly payload: AsyncIterable<Uint8Array>;
  /** Instead of `settle`: it could not be kept. The connection is ended, so that the broker sends it again. */
  giveUp(reason: string): void;
}
