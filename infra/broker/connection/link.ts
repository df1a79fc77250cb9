// The writing side of one connection: what is sent in one turn of the event loop is one write, and not much more is
// written than the client reads.
import type { Duplex } from 'node:stream';
import type { Budget } from '../quotas/budget.ts';

export interface LinkOptions {
  /** Bytes that may wait to be read by the client before the connection counts as blocked. */
  readonly maxBufferedBytes: number;
  /** Bytes that QoS 0 messages may take beyond that. */
  readonly maxMemoryQueueBytes: number;
  /** How long the client may read nothing of what waits, before `onStalled`. */
  readonly stalledTimeoutMs: number;
  readonly onStalled: () => void;
  /** The client has caught up with reading. */
  readonly onDrain: () => void;
}

/** What a packet in a stream takes besides its contents. */
const packetBytes = 512;
/** So much is written at once: waiting for more would not make it cheaper. */
const writtenBytes = 64 * 1024;
/** How long a client may take to close its side, after the server has said that it closes. */
const closingMs = 1000;

/** Links with something to write; all are written when the present turn of the event loop has read what it had. */
let waiting: Link[] = [];

function flushAll(): void {
  const links = waiting;
  waiting = [];
  for (const link of links) link.flush();
}

export class Link {
  readonly #stream: Duplex;
  readonly #options: LinkOptions;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes given to the stream. */
  #given = 0;
  /** Bytes charged to the memory budget. */
  #charged = 0;
  #ended = false;
  /** What waits to be read counts for it; there is none before it is known whose connection it is. */
  memory: Budget | undefined;

  constructor(stream: Duplex, options: LinkOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('drain', () => {
      this.#settle();
      options.onDrain();
    });
  }

  /** The client does not read as fast as it is written to; `onDrain` says when it has caught up. */
  get blocked(): boolean {
    const { maxBufferedBytes } = this.#options;
    if (this.#pendingBytes >= maxBufferedBytes) return true;
    // Without `writableNeedDrain` no `drain` would come.
    const { writableLength, writableNeedDrain } = this.#stream;
    return writableNeedDrain && writableLength + this.#pendingBytes >= maxBufferedBytes;
  }

  send(bytes: Buffer): void {
    if (this.#ended) return;
    if (this.#pending.push(bytes) === 1 && waiting.push(this) === 1) setImmediate(flushAll);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= writtenBytes) this.flush();
  }

  /** Whether a QoS 0 message may be sent, also to a client that is behind, within limits. */
  hasRoomFor(bytes: number): boolean {
    if (!this.blocked) return true;
    const size = bytes + packetBytes;
    if (this.#charged + size > this.#options.maxMemoryQueueBytes) return false;
    if (this.memory?.hasRoom(size) === false) return false;
    this.#charged += size;
    this.memory?.add(size);
    return true;
  }

  /** Writes what has been sent. */
  flush(): void {
    const chunks = this.#pending;
    if (chunks.length === 0) return;
    const wasFull = this.#pendingBytes >= this.#options.maxBufferedBytes;
    const bytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    const stream = this.#stream;
    if (stream.destroyed || stream.writableEnded) return;
    const before = stream.writableLength;
    const [only] = chunks;
    if (chunks.length === 1 && only !== undefined) stream.write(only);
    else if (bytes <= writtenBytes) stream.write(Buffer.concat(chunks, bytes));
    else {
      stream.cork();
      for (const chunk of chunks) stream.write(chunk);
      stream.uncork();
    }
    this.#given += Math.max(0, stream.writableLength - before);
    if (this.blocked) this.#watch();
    else if (wasFull) setImmediate(this.#options.onDrain);
  }

  /** Writes what was sent, and then closes: the client reads the last packet before the end. */
  close(): void {
    if (this.#ended) return;
    this.flush();
    this.stop();
    const stream = this.#stream;
    if (stream.destroyed) return;
    // Closed with something unread, the socket would be reset, and the last packet be lost with it.
    stream.resume();
    stream.end();
    const timer = setTimeout(() => stream.destroy(), closingMs);
    timer.unref();
    stream.once('close', () => clearTimeout(timer));
  }

  /** Nothing is sent any more. */
  stop(): void {
    this.#ended = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#settle();
  }

  /** Nothing waits to be read any more, or nobody is there to read it. */
  #settle(): void {
    if (this.#charged > 0) {
      this.memory?.add(-this.#charged);
      this.#charged = 0;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Gives the client its time again for as long as it reads anything at all. */
  #watch(): void {
    if (this.#timer !== undefined || this.#ended) return;
    const read = () => this.#given - this.#stream.writableLength;
    const before = read();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (read() > before) this.#watch();
      else this.#options.onStalled();
    }, this.#options.stalledTimeoutMs).unref();
  }
}
