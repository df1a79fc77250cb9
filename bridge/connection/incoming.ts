// What a broker sends on one connection, between its socket and MQTT.js: PUBLISHes go to a receiver, whole and valid
// packets of other kinds to MQTT.js, and what is malformed to neither. It stops and goes on reading.
//
// It rests on MQTT.js reading its stream by `pipe` alone, once, when it connects
// (test/bridge/session/mqtt-contract.test.ts).
import type { Duplex, Writable } from 'node:stream';
import { faultOf } from '../packets/faults.ts';
import { type Admission, Framer, type Packet, type Step } from '../packets/framer.ts';
import { type Malformed, protocolError } from '../packets/malformed.ts';
import { acknowledgementHeader, nameOf, packetType } from '../packets/packet-types.ts';
import { type MalformedPublish, type Publish, readPublish } from '../packets/publish.ts';
import { type StreamedHead, StreamedPublish } from '../packets/streamed-publish.ts';
import { foreignProtocol } from './foreign-protocol.ts';
import { StreamedPayload } from './streamed-payload.ts';
import { closingMs } from './waits.ts';

/** Who takes the PUBLISHes of a connection, in their order. To stop them it calls {@link Incoming.stop}. */
export interface Receiver {
  onPublish(publish: Publish): void;
  /** Whether it takes this one: otherwise the connection is ended. */
  onMalformed?(publish: MalformedPublish): boolean;
  /**
   * What becomes of a PUBLISH of so many bytes that is still coming; it is buffered where this is absent. After
   * `wait` it is asked again when {@link Incoming.goOn} is called.
   */
  admit?(packetBytes: number): Admission;
  /**
   * A PUBLISH that `admit` wants to stream. Nothing else is read until `payload` has been read to its end, or is given
   * up; it rejects when the connection ends before.
   */
  onStreamed?(head: StreamedHead, payload: AsyncIterable<Buffer>): void;
  /** The last moment to write before this side says DISCONNECT. */
  beforeDisconnect?(): void;
}

export class Incoming {
  /** What nobody takes is acknowledged, or the broker would send nothing more. */
  receiver: Receiver = { onPublish: (publish) => this.acknowledge(publish) };
  /** Called once, when a packet ends the connection, with the reason in words. */
  onFault: (reason: string) => void = () => {};
  /** Gets the size of each PUBLISH. */
  onPublishBytes: ((packetBytes: number) => void) | undefined;
  readonly #protocolVersion: 4 | 5;
  readonly #framer = new Framer();
  #stream: Duplex | undefined;
  #mqttJs: Writable | undefined;
  #hasConnack = false;
  /** By the receiver; by an admission that is waited for; by MQTT.js, which has enough. */
  #stopped = false;
  #isWaiting = false;
  #isFull = false;
  #isWorking = false;
  #isPaused = false;
  #isOver = false;
  #streamed: StreamedPublish | undefined;
  #payload: StreamedPayload | undefined;
  #heardMs = 0;
  /** When reading went on, and how long it had gone on before. */
  #readingSinceMs = 0;
  #readBeforeMs = 0;

  constructor(protocolVersion: 4 | 5) {
    this.#protocolVersion = protocolVersion;
    this.#framer.admit = (packetBytes) => this.receiver.admit?.(packetBytes) ?? 'buffer';
  }

  /** Stands between a stream and whatever it is piped to. */
  intercept(stream: Duplex): void {
    this.#stream = stream;
    this.#heardMs = performance.now();
    this.#readingSinceMs = this.#heardMs;
    stream.pipe = <T extends NodeJS.WritableStream>(mqttJs: T): T => {
      this.#mqttJs = mqttJs as unknown as Writable;
      stream.on('data', this.#onData);
      stream.once('close', this.#onClose);
      return mqttJs;
    };
  }

  /** Reads no further: PUBLISHes that have come stay in the socket, and so does all else. */
  stop(): void {
    this.#stopped = true;
    this.#pause();
  }

  /** Reads on. */
  goOn(): void {
    this.#stopped = false;
    this.#isWaiting = false;
    this.#work();
  }

  /** Ends the connection without a word, for a reason of this side. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.onFault(reason);
    this.#stream?.destroy();
  }

  /** Nothing is read any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isReading(): boolean {
    return !this.#isPaused;
  }

  /** When bytes came last, or reading went on: by performance.now(). */
  get heardMs(): number {
    return Math.max(this.#heardMs, this.#readingSinceMs);
  }

  /** How long it has been reading. It stands still while reading is stopped: nothing can be heard then. */
  get readingMs(): number {
    if (this.#isPaused) return this.#readBeforeMs;
    return this.#readBeforeMs + performance.now() - this.#readingSinceMs;
  }

  /** Tells the broker that a PUBLISH is done. */
  acknowledge({ qos, packetId }: Pick<Publish, 'qos' | 'packetId'>): void {
    if (packetId === 0 || this.#isOver || this.#stream?.writable !== true) return;
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt16BE(acknowledgementHeader(qos), 0);
    bytes.writeUInt16BE(packetId, 2);
    this.#stream.write(bytes);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isOver) return;
    this.#heardMs = performance.now();
    const foreign = this.#hasConnack ? undefined : foreignProtocol(chunk);
    if (foreign !== undefined) return this.#fail(protocolError(foreign));
    this.#framer.push(chunk);
    this.#work();
  };

  readonly #onClose = (): void => {
    this.#isOver = true;
    this.#payload?.break();
  };

  /** Reads what has come, as far as it may. */
  #work(): void {
    // A receiver may stop and go on from within.
    if (this.#isWorking) return;
    this.#isWorking = true;
    while (this.#mayRead()) {
      const step = this.#framer.next();
      if (step === undefined) break;
      this.#take(step);
    }
    this.#isWorking = false;
    if (this.#mayRead()) this.#resume();
    else this.#pause();
  }

  #mayRead(): boolean {
    if (this.#isOver || this.#stopped || this.#isWaiting || this.#isFull) return false;
    return this.#payload === undefined || this.#payload.isWanted;
  }

  #take(step: Step): void {
    switch (step.kind) {
      case 'packet':
        if (step.type === packetType.publish && this.#hasConnack) this.#takePublish(step);
        else this.#takeOther(step);
        break;
      case 'waiting':
        this.#isWaiting = true;
        break;
      case 'streamed':
        this.onPublishBytes?.(step.packetBytes);
        this.#streamed = new StreamedPublish(step, this.#protocolVersion);
        break;
      case 'part':
        this.#takePart(step.bytes, step.isLast);
        break;
      case 'broken':
        this.#fail(step.fault);
    }
  }

  #takePublish(packet: Packet): void {
    this.onPublishBytes?.(packet.end - packet.start);
    const publish = readPublish(packet, this.#protocolVersion);
    if (!('malformed' in publish)) return this.receiver.onPublish(publish);
    if (this.receiver.onMalformed?.(publish) !== true) this.#fail(publish.malformed);
  }

  #takeOther(packet: Packet): void {
    const isConnack = packet.type === packetType.connack;
    const fault =
      this.#hasConnack === isConnack && packet.type !== packetType.disconnect
        ? protocolError(
            isConnack ? 'a second CONNACK' : `${nameOf(packet.type)} before CONNACK [MQTT-3.2.0-1]`,
          )
        : faultOf(packet, this.#protocolVersion);
    if (fault !== undefined) return this.#fail(fault);
    if (isConnack) this.#hasConnack = true;
    const mqttJs = this.#mqttJs;
    if (mqttJs?.write(packet.bytes.subarray(packet.start, packet.end)) !== false) return;
    this.#isFull = true;
    mqttJs.once('drain', () => {
      this.#isFull = false;
      this.#work();
    });
  }

  #takePart(bytes: Buffer, isLast: boolean): void {
    if (this.#payload !== undefined) this.#payload.push(bytes, isLast);
    else {
      const head = this.#streamed?.take(bytes);
      if (head === undefined) return;
      const payload = new StreamedPayload(head.first, isLast, () => this.#work());
      this.#payload = payload;
      this.#streamed = undefined;
      this.receiver.onStreamed?.(head, payload.read());
    }
    if (isLast) this.#payload = undefined;
  }

  /** Ends the connection at once: what is not acknowledged comes again on the next one. */
  #fail({ reason, code }: Malformed): void {
    if (this.#isOver) return;
    this.receiver.beforeDisconnect?.();
    this.#isOver = true;
    this.#payload?.break();
    this.onFault(reason);
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#protocolVersion === 5) stream.write(Buffer.from([0xe0, 0x01, code]));
    stream.end();
    // What still comes is read and dropped: a socket that is closed with unread bytes is reset, and DISCONNECT lost.
    stream.resume();
    const timer = setTimeout(() => stream.destroy(), closingMs);
    stream.once('close', () => clearTimeout(timer));
  }

  #pause(): void {
    if (this.#isPaused || this.#isOver) return;
    this.#isPaused = true;
    this.#readBeforeMs += performance.now() - this.#readingSinceMs;
    this.#stream?.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#readingSinceMs = performance.now();
    this.#stream?.resume();
  }
}
