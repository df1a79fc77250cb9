// One network connection's inbound side: what came on it and is not acknowledged, its acknowledgements, and how
// reading stops.
import { createHash } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import type { Message } from '../../functions/contract/message.ts';
import type { Delivery } from '../base/delivery.ts';
import type { Incoming } from '../connection/incoming.ts';
import type { Connecting } from '../connection/link.ts';
import { acknowledgementHeader } from '../packets/packet-types.ts';
import { BrokerWindow } from './broker-window.ts';
import { Window } from './window.ts';

/** Memory of a message beside its payload and topic: the objects that carry it, their strings, its place in lane and window. */
const objectBytes = 1000;

/** Payloads of so many bytes are not kept until their PUBACK: below, a digest is not worth its time. */
const condensedFromBytes = 16 * 1024;
const noBytes = Buffer.alloc(0);
const none: readonly Received[] = [];

function digestOf(payload: Uint8Array): Buffer {
  return createHash('sha256').update(payload).digest();
}

/** A class, and not an object with a closure of its own: there is one for each message. */
export class Received implements Delivery {
  readonly arrivedMs = performance.now();
  readonly fault: string | undefined;
  readonly bytes: number;
  /** Bytes that count against the memory of the process; 0 once they are given back. */
  memoryBytes: number;
  /** 0 at QoS 0. */
  readonly packetId: number;
  settled = false;
  /** Whether it stands in a window, or may come again on the next connection. */
  isKept = false;
  #message: Message;
  /** Of its payload, which is no longer here. */
  #digest: Buffer | undefined;
  /** The connection that it last came on; its PUBACK may leave on that one only. */
  connection: Inbound;
  readonly #onSettled: (received: Received) => void;

  constructor(
    message: Message,
    fault: string | undefined,
    connection: Inbound,
    onSettled: (received: Received) => void,
  ) {
    this.#message = message;
    this.fault = fault;
    this.bytes = message.payload.byteLength + message.topic.length;
    this.memoryBytes = this.bytes + objectBytes;
    this.packetId = message.packetId ?? 0;
    this.connection = connection;
    this.#onSettled = onSettled;
  }

  get message(): Message {
    return this.#message;
  }

  settle(): void {
    if (this.settled) return;
    this.settled = true;
    this.#onSettled(this);
  }

  says(topic: string, payload: Uint8Array): boolean {
    if (topic !== this.#message.topic) return false;
    if (this.#digest !== undefined) return this.#digest.equals(digestOf(payload));
    return Buffer.compare(this.#message.payload, payload) === 0;
  }

  get isLarge(): boolean {
    return this.#message.payload.byteLength >= condensedFromBytes;
  }

  /** Settled, it waits for others before it, and a digest of its payload is enough. How many bytes are free by that. */
  condense(): number {
    const { payload } = this.#message;
    this.#digest = digestOf(payload);
    this.#message = { ...this.#message, payload: noBytes };
    this.memoryBytes -= payload.byteLength;
    return payload.byteLength;
  }
}

export class Inbound {
  readonly window = new Window<Received>();
  /** When the last message came that this process did not know yet. */
  lastArrivalMs = Number.NEGATIVE_INFINITY;
  /** A batch that is settled is acknowledged once. */
  flushScheduled = false;
  readonly #client: MqttClient;
  readonly #incoming: Incoming;
  readonly #brokerWindow: BrokerWindow;
  #open = true;
  /** Set while reading is stopped: calling it reads on. */
  #parked: (() => void) | undefined;

  constructor({ client, incoming }: Connecting, lingerMs: number) {
    this.#client = client;
    this.#incoming = incoming;
    this.#brokerWindow = new BrokerWindow(lingerMs, performance.now());
    client.on('close', () => {
      this.#open = false;
    });
  }

  /** Whether nothing more can come before PUBACKs leave. */
  get isStalled(): boolean {
    return (
      this.#parked !== undefined || this.#brokerWindow.isFull(this.window.size, this.lastArrivalMs)
    );
  }

  /** Sends the acknowledgements that are due, in one write: those of the deliveries that it gives back. */
  flush(): readonly Received[] {
    if (!this.#open) return none;
    // After DISCONNECT nothing may follow [MQTT-3.14.4-1]: what comes again is known, and acknowledged then.
    if (this.#client.disconnecting) return none;
    const unacknowledged = this.window.size;
    const released = this.window.release();
    if (released.length === 0) return none;
    this.#brokerWindow.released(unacknowledged, this.lastArrivalMs, performance.now());
    const bytes = Buffer.allocUnsafe(released.length * 4);
    let at = 0;
    for (const { packetId, message } of released) {
      const header = acknowledgementHeader(message.qos);
      bytes[at++] = header >> 8;
      bytes[at++] = header & 0xff;
      bytes[at++] = packetId >> 8;
      bytes[at++] = packetId & 0xff;
    }
    this.#client.stream.write(bytes);
    return released;
  }

  /** Stops reading until there is room. */
  park(readOn: () => void): void {
    this.#incoming.stop();
    this.#parked = () => {
      readOn();
      if (this.#parked === undefined) this.#incoming.goOn();
    };
  }

  /** Reads on where {@link park} has not stopped it. */
  readOn(): void {
    if (this.#parked === undefined) setImmediate(() => this.#parked ?? this.#incoming.goOn());
  }

  /** Ends the connection: what is not acknowledged comes again on the next one. */
  end(reason: string): void {
    if (this.#open) this.#incoming.end(reason);
  }

  unpark(): void {
    const parked = this.#parked;
    this.#parked = undefined;
    // Not in the caller's stack: the next packets are handled on a fresh one.
    if (parked !== undefined) setImmediate(parked);
  }
}
