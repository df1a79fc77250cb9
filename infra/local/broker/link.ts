// The writing side of one connection: PUBLISH and PUBREL go out here, and not much further than the client reads.
import type { Duplex } from 'node:stream';
import { type IPublishPacket, type IPubrelPacket, writeToStream } from 'mqtt-packet';

/** What clients that do not keep up may hold of this process's memory, all together. */
export interface MemoryBudget {
  bytes: number;
  readonly maxBytes: number;
}

export interface LinkOptions {
  /** Bytes that may wait to be read by the client before the connection counts as blocked. */
  readonly maxBufferedBytes: number;
  /** Bytes that QoS 0 messages may take beyond that. */
  readonly maxMemoryQueueBytes: number;
  readonly memory: MemoryBudget;
  /** How long the client may read nothing of what waits, before `onStalled`. */
  readonly stalledTimeoutMs: number;
  readonly onStalled: () => void;
}

/** What a packet in a stream takes besides its contents. */
const packetBytes = 512;

export class Link {
  readonly #stream: Duplex;
  readonly #options: LinkOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes given to the stream. */
  #given = 0;
  /** Bytes charged to the memory budget. */
  #charged = 0;

  constructor(stream: Duplex, options: LinkOptions, onDrain: () => void) {
    this.#stream = stream;
    this.#options = options;
    stream.on('drain', () => {
      this.end();
      onDrain();
    });
  }

  /** The client does not read as fast as it is written to; `onDrain` says when it has caught up. */
  get blocked(): boolean {
    // Without `writableNeedDrain` no `drain` would come.
    const { writableLength, writableNeedDrain } = this.#stream;
    return writableNeedDrain && writableLength >= this.#options.maxBufferedBytes;
  }

  send(packet: IPublishPacket | IPubrelPacket): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    const before = this.#stream.writableLength;
    writeToStream(packet, this.#stream);
    this.#given += Math.max(0, this.#stream.writableLength - before);
    if (this.blocked && this.#timer === undefined) this.#watch();
  }

  /** Sends a QoS 0 message, also to a client that is behind, within limits; false where it is dropped. */
  sendOrDrop(packet: IPublishPacket): boolean {
    if (this.blocked) {
      const { maxMemoryQueueBytes, memory } = this.#options;
      const bytes = packet.topic.length + packet.payload.length + packetBytes;
      if (this.#charged + bytes > maxMemoryQueueBytes) return false;
      if (memory.bytes + bytes > memory.maxBytes) return false;
      this.#charged += bytes;
      memory.bytes += bytes;
    }
    this.send(packet);
    return true;
  }

  /** Nothing waits to be read any more, or nobody is there to read it. */
  end(): void {
    this.#options.memory.bytes -= this.#charged;
    this.#charged = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Gives the client its time again for as long as it reads anything at all. */
  #watch(): void {
    const read = () => this.#given - this.#stream.writableLength;
    const before = read();
    this.#timer = setTimeout(() => {
      if (read() > before) this.#watch();
      else this.#options.onStalled();
    }, this.#options.stalledTimeoutMs).unref();
  }
}
