// A device that publishes at QoS 1 and remembers exactly what the broker acknowledged to it.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';
import type { Random } from './random.ts';

/** What was published under a number. */
export interface Sent {
  readonly topic: string;
  readonly digest: string;
}

export interface Load {
  /** Default: until `signal` aborts. */
  readonly count?: number;
  readonly signal?: AbortSignal;
  readonly perSecond: number;
  readonly topics?: number;
  /** Text that follows the number; by default random letters or bytes. */
  readonly content?: (number: number) => string | Buffer;
}

const maxInFlight = 500;
const tickMs = 10;

export function digestOf(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('base64');
}

/** The number that a payload carries, wherever in the bytes it stands. */
export function numberIn(bytes: Buffer): number | undefined {
  const found = /^#(\d+)#/.exec(bytes.subarray(0, 16).toString('latin1'))?.[1];
  return found === undefined ? undefined : Number(found);
}

/**
 * Written on a bare socket, because a library would publish again what a lost connection left in doubt, and
 * then two copies of a number would be the publisher's doing. What is in doubt here stays so.
 */
export class Publisher {
  readonly sent = new Map<number, Sent>();
  readonly acknowledged = new Set<number>();
  readonly #port: number;
  readonly #random: Random;
  #socket: Socket | undefined;
  /** Packet id → number. */
  #inFlight = new Map<number, number>();
  #lastNumber = 0;
  #lastPacketId = 0;
  #ended = false;

  constructor(port: number, random: Random) {
    this.#port = port;
    this.#random = random;
  }

  /** Publishes so many messages at a steady rate; resolves when each is acknowledged or in doubt. */
  async publish({ perSecond, topics = 20, content, ...load }: Load): Promise<void> {
    const { count = Number.POSITIVE_INFINITY, signal } = load;
    const startMs = Date.now();
    let pausedMs = 0;
    for (let done = 0; done < count && !this.#ended && signal?.aborted !== true; ) {
      while (this.#socket === undefined && !this.#ended) {
        const sinceMs = Date.now();
        await this.#connect();
        pausedMs += Date.now() - sinceMs;
      }
      const due = Math.ceil(((Date.now() - startMs - pausedMs) * perSecond) / 1000);
      while (this.#socket && done < Math.min(due, count) && this.#inFlight.size < maxInFlight) {
        const number = ++this.#lastNumber;
        this.#send(number, `load/${number % topics}`, content?.(number) ?? this.#anything());
        done++;
      }
      await delay(tickMs);
    }
    while (this.#inFlight.size > 0 && !this.#ended) await delay(tickMs);
  }

  /** Publishes one message; resolves with its number when it is acknowledged or in doubt. */
  async publishOne(topic: string, content: string | Buffer): Promise<number> {
    while (this.#socket === undefined && !this.#ended) await this.#connect();
    const number = ++this.#lastNumber;
    this.#send(number, topic, content);
    while ([...this.#inFlight.values()].includes(number)) await delay(tickMs);
    return number;
  }

  end(): void {
    this.#ended = true;
    this.#socket?.destroy();
  }

  #anything(): string | Buffer {
    const length = this.#random.between(10, 300);
    // Not all payloads are text.
    return this.#random.chance(0.1) ? Buffer.alloc(length, 0xf5) : 'x'.repeat(length);
  }

  #send(number: number, topic: string, content: string | Buffer): void {
    const payload = Buffer.concat([Buffer.from(`#${number}#`), Buffer.from(content)]);
    do this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    while (this.#inFlight.has(this.#lastPacketId));
    const messageId = this.#lastPacketId;
    this.#inFlight.set(messageId, number);
    this.sent.set(number, { topic, digest: digestOf(payload) });
    this.#socket?.write(
      generate({ cmd: 'publish', qos: 1, dup: false, retain: false, messageId, topic, payload }),
    );
  }

  async #connect(): Promise<void> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.on('error', () => {});
    const packets = parser({ protocolVersion: 4 });
    socket.on('data', (bytes) => packets.parse(bytes));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#inFlight.clear();
    });
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connack') this.#socket = socket;
      if (packet.cmd !== 'puback' || packet.messageId === undefined) return;
      const number = this.#inFlight.get(packet.messageId);
      this.#inFlight.delete(packet.messageId);
      if (number !== undefined) this.acknowledged.add(number);
    });
    socket.write(
      generate({
        cmd: 'connect',
        clientId: 'publisher',
        clean: true,
        keepalive: 0,
        protocolId: 'MQTT',
        protocolVersion: 4,
      }),
    );
    const closed = once(socket, 'close').catch(() => {});
    while (this.#socket !== socket && !socket.destroyed && !this.#ended)
      await Promise.race([delay(tickMs), closed]);
    if (this.#socket !== socket) await delay(50);
  }
}
