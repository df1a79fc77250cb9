// The way from a session to its connected client.
import type { Delivery } from '../store/delivery.ts';

export interface Receiver {
  /** The client does not read as fast as it is written to. */
  readonly blocked: boolean;
  /** Messages of QoS 1 and 2 that it takes unacknowledged. */
  readonly receiveMaximum: number;
  /** Sends a message of QoS 1 or 2; false where the client takes no packet so large [MQTT-3.1.2-25]. */
  send(delivery: Delivery, packetId: number, dup: boolean): boolean;
  /** Sends a message of QoS 0, or drops it where too much waits to be read. */
  sendOrDrop(delivery: Delivery): void;
  /** Sends PUBREL. */
  release(packetId: number): void;
}
