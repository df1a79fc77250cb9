// A connection of bytes to the server under test. It checks on each packet what no server may ever do.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Version } from './client-packets.ts';
import { readServerPacket, type ServerPacket } from './server-packets.ts';

/** Generous, for a loaded machine: no row waits for it unless it fails. */
const answerTimeoutMs = 10_000;

export class RawClient {
  readonly version: Version;
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  /** Packets that no step has taken yet. */
  readonly #packets: ServerPacket[] = [];
  #fault: Error | undefined;
  #ended = false;
  #connacks = 0;
  #wake: () => void = () => {};
  /** Identifiers of PUBLISH packets that this client has not acknowledged. */
  readonly #inFlight = new Set<number>();
  /** What this client has announced, as what the server has to keep to. */
  receiveMaximum = 65_535;
  maximumPacketSize = Number.POSITIVE_INFINITY;
  /** The server's CONNACK. */
  connack: ServerPacket | undefined;
  nextPacketId = 1;

  private constructor(version: Version, socket: Socket) {
    this.version = version;
    this.#socket = socket;
    socket.setNoDelay();
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#take(bytes));
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
  }

  static async open(version: Version, port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(version, socket);
  }

  send(bytes: Buffer): void {
    this.#noteAcknowledgement(bytes);
    this.#socket.write(bytes);
  }

  /** The next packet of this type; those of other types stay for later. */
  async next(type: string): Promise<ServerPacket> {
    const deadlineMs = Date.now() + answerTimeoutMs;
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault;
      const index = this.#packets.findIndex((packet) => packet.type === type);
      const [found] = index < 0 ? [] : this.#packets.splice(index, 1);
      if (found !== undefined) return found;
      const rest = JSON.stringify(this.#packets);
      if (this.#ended) throw new Error(`closed without a ${type}; it sent ${rest}`);
      if (!(await this.#changed(deadlineMs))) throw new Error(`no ${type} came, but ${rest}`);
    }
  }

  /** What has come and was not taken. */
  get left(): readonly ServerPacket[] {
    return this.#packets;
  }

  /** Waits until the server has closed the connection. */
  async closed(): Promise<readonly ServerPacket[]> {
    const deadlineMs = Date.now() + answerTimeoutMs;
    while (!this.#ended && this.#fault === undefined)
      if (!(await this.#changed(deadlineMs)))
        throw new Error(`still open; it sent ${JSON.stringify(this.#packets)}`);
    if (this.#fault !== undefined) throw this.#fault;
    return this.#packets;
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** As if the network had failed. */
  drop(): void {
    this.#socket.destroy();
  }

  async #changed(deadlineMs: number): Promise<boolean> {
    const timeoutMs = deadlineMs - Date.now();
    if (timeoutMs <= 0) return false;
    let timer: NodeJS.Timeout | undefined;
    const isChanged = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(true);
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    clearTimeout(timer);
    return isChanged;
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    try {
      for (let length = this.#wholeLength(); length !== undefined; length = this.#wholeLength()) {
        const packet = this.#bytes.subarray(0, length);
        this.#bytes = this.#bytes.subarray(length);
        this.#check(readServerPacket(this.version, packet), packet.length);
      }
    } catch (error) {
      this.#fault ??= error as Error;
    }
    this.#wake();
  }

  /** Bytes of the first packet; undefined until it is whole. */
  #wholeLength(): number | undefined {
    let value = 0;
    for (let place = 0; place < 4; place++) {
      const byte = this.#bytes[1 + place];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 128 ** place;
      if (byte & 0x80) continue;
      const length = 2 + place + value;
      return this.#bytes.length < length ? undefined : length;
    }
    throw new Error('the server sent a Remaining Length of more than four bytes');
  }

  #check(packet: ServerPacket, length: number): void {
    const { type, packetId } = packet;
    if (type === 'connack') this.#connacks++;
    if (this.#connacks === 0 && type !== 'auth')
      throw new Error(`${type} before CONNACK [MQTT-3.2.0-1]`);
    if (this.#connacks > 1) throw new Error('a second CONNACK [MQTT-3.2.0-2]');
    if (length > this.maximumPacketSize)
      throw new Error(`${type} of ${length} bytes, more than the client takes [MQTT-3.1.2-24]`);
    if (type === 'publish' && packetId !== undefined) {
      if (this.#inFlight.has(packetId)) throw new Error(`${packetId} is in use [MQTT-2.2.1-4]`);
      this.#inFlight.add(packetId);
      if (this.#inFlight.size > this.receiveMaximum)
        throw new Error('more in flight than Receive Maximum [MQTT-3.3.4-9]');
    }
    this.#packets.push(packet);
  }

  /** PUBACK, PUBCOMP, and a PUBREC that refuses free the packet identifier. */
  #noteAcknowledgement(bytes: Buffer): void {
    if (bytes.length < 4) return;
    const type = bytes.readUInt8() >> 4;
    const isRefusal = type === 5 && bytes.length > 4 && bytes.readUInt8(4) >= 0x80;
    if (type === 4 || type === 7 || isRefusal) this.#inFlight.delete(bytes.readUInt16BE(2));
  }
}
