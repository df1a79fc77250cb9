// One network connection's inbound side: what came on it and is not acknowledged, its PUBACKs, and how reading stops.
import type { MqttClient } from 'mqtt';
import type { Message } from '../../functions/contract/message.ts';
import type { Delivery } from '../delivery.ts';
import { Window } from './window.ts';

/** A class, and not an object with a closure of its own: there is one for each message. */
export class Received implements Delivery {
  readonly message: Message;
  readonly bytes: number;
  /** 0 at QoS 0. */
  readonly packetId: number;
  settled = false;
  /** The connection that it last came on; its PUBACK may leave on that one only. */
  connection: Inbound;
  readonly #onSettled: (received: Received) => void;

  constructor(message: Message, connection: Inbound, onSettled: (received: Received) => void) {
    this.message = message;
    this.bytes = message.payload.byteLength + message.topic.length;
    this.packetId = message.packetId ?? 0;
    this.connection = connection;
    this.#onSettled = onSettled;
  }

  settle(): void {
    if (this.settled) return;
    this.settled = true;
    this.#onSettled(this);
  }
}

export class Inbound {
  readonly window = new Window<Received>();
  /** Whoever settles a batch acknowledges it once. */
  flushScheduled = false;
  readonly #client: MqttClient;
  readonly #pingEveryMs: number;
  #open = true;
  /** Set while reading is stopped: calling it reads on. */
  #parked: (() => void) | undefined;

  constructor(client: MqttClient, keepaliveSeconds: number) {
    this.#client = client;
    this.#pingEveryMs = (keepaliveSeconds * 1000) / 3;
    client.on('close', () => {
      this.#open = false;
    });
  }

  /** Sends the PUBACKs that are due, in one write. */
  flush(): void {
    if (!this.#open) return;
    // After DISCONNECT nothing may follow [MQTT-3.14.4-1]: what comes again is known, and acknowledged then.
    if (this.#client.disconnecting) return;
    const released = this.window.release();
    if (released.length === 0) return;
    const bytes = Buffer.allocUnsafe(released.length * 4);
    let offset = 0;
    for (const { packetId } of released) {
      // PUBACK, two more bytes, packet id: in MQTT 5 too, where a missing reason code means success.
      offset = bytes.writeUInt16BE(0x4002, offset);
      offset = bytes.writeUInt16BE(packetId, offset);
    }
    this.#client.stream.write(bytes);
  }

  /**
   * Stops reading until there is room. PINGRESP is not read either, so MQTT.js would take the connection for
   * dead: while parked, this sends the pings and keeps its timer from firing.
   */
  park(readOn: () => void): void {
    const timer = setInterval(() => {
      if (!this.#open) return clearInterval(timer);
      this.#client.sendPing();
      this.#client.reschedulePing(true);
    }, this.#pingEveryMs);
    this.#parked = () => {
      clearInterval(timer);
      readOn();
    };
  }

  unpark(): void {
    const parked = this.#parked;
    this.#parked = undefined;
    // Not in the caller's stack: the next packets are handled on a fresh one.
    if (parked !== undefined) setImmediate(parked);
  }
}
