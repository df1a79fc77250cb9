// PUBLISHes that memory cannot hold: what a session asks about them, and the delivery that one of them becomes.
import type { StreamedDelivery } from '../base/delivery.ts';
import type { Admission } from '../packets/framer.ts';
import type { StreamedHead } from '../packets/streamed-publish.ts';
import type { HeldDeliveries } from './held-deliveries.ts';
import type { Received } from './inbound.ts';

/** What becomes of PUBLISHes that have not come as a whole: those of many bytes. */
export interface LargeMessages {
  /**
   * Asked before anything of it is buffered, with the bytes of the packet. After `wait` the session reads on when
   * `readOn` is called; one call is enough for several.
   */
  admit(packetBytes: number, readOn: () => void): Admission;
  /** One that was to be streamed. The session reads nothing else until its payload is read, or given up. */
  onDelivery(delivery: StreamedDelivery): void;
}

export function streamedDelivery(
  received: Received,
  { payloadBytes }: StreamedHead,
  payload: AsyncIterable<Buffer>,
  held: HeldDeliveries,
): StreamedDelivery {
  const { connection } = received;
  return {
    message: received.message,
    fault: received.fault,
    payloadBytes,
    payload,
    settle: () => received.settle(),
    giveUp: (reason) => {
      if (received.settled) return;
      held.giveUp(received);
      connection.end(reason);
    },
  };
}
