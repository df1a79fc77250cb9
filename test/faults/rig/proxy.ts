// A TCP proxy between bridge and broker that counts MQTT packets and breaks the network as a test wants.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Packet } from 'mqtt-packet';
import { Framer } from './frames.ts';
import { numberIn } from './publisher.ts';

/** `up` is from the bridge to the broker. */
export type Direction = 'up' | 'down';

export interface NetworkProxy {
  readonly port: number;
  /** CONNECT packets so far. */
  connects: number;
  /** Those of each client id: the bridge also looks for sessions of earlier configs, half a minute after its start. */
  readonly connectsOf: ReadonlyMap<string, number>;
  /** Client ids with which a connection came while another one with the same was open. */
  readonly heldTwice: string[];
  /** PUBLISH packets to the bridge, and PUBACK packets from it that were passed on. */
  publishes: number;
  pubacks: number;
  /** Passes everything on so much later. */
  delayMs: number;
  /** When the broker closes, the bridge is told that its session was taken over: mosquitto 2.0.11 says nothing. */
  saysTakenOver: boolean;
  /** Ends every connection, as a reset does. */
  cut(): void;
  /** One side is told that the other will send no more; the other direction goes on. */
  halfClose(direction: Direction): void;
  /** Nothing passes in this direction any more, and nobody is told; `heal` lets it pass again. */
  blackHole(direction: Direction): void;
  heal(): void;
  /** What the bridge gets in place of a packet of the broker; set before the first connection. */
  spoil: ((packet: Packet, bytes: Buffer) => Buffer) | undefined;
  /** Lets `count` more PUBACKs pass; the next one is eaten and the connection cut. */
  cutAtPuback(count: number): void;
  close(): Promise<void>;
}

/** DISCONNECT with reason code 0x8E, session taken over, and no properties. */
const takenOver = Buffer.from([0xe0, 0x02, 0x8e, 0x00]);

interface Link {
  /** From CONNECT to DISCONNECT. */
  clientId: string | undefined;
  readonly client: Socket;
  readonly broker: Socket;
  /** Packet id → the number in the payload of its last PUBLISH. */
  readonly numbers: Map<number, number>;
  readonly framers: Readonly<Record<Direction, Framer>>;
}

/** `onPuback` gets the number of each message that the bridge acknowledges, before the broker does. */
export async function startProxy(
  brokerPort: number,
  onPuback: (number: number) => void = () => {},
): Promise<NetworkProxy> {
  const links = new Set<Link>();
  const holes = new Set<Direction>();
  const connectsOf = new Map<string, number>();
  let pubacksUntilCut = Number.POSITIVE_INFINITY;

  const server = createServer((client) => {
    const broker = connect(brokerPort, '127.0.0.1');
    const framers = { up: new Framer(), down: new Framer() };
    const link: Link = { clientId: undefined, client, broker, numbers: new Map(), framers };
    links.add(link);
    const end = () => {
      links.delete(link);
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      socket.setNoDelay(true);
      socket.on('error', end);
    }
    client.on('close', end);
    // What the broker has sent before it closed still reaches the bridge.
    broker.on('close', () => {
      links.delete(link);
      client.destroySoon();
    });
    void pass(link, 'up').catch(end);
    void pass(link, 'down').catch(end);
  });

  /** One direction of one connection: bytes in, counted, late, held or cut, and out. */
  async function pass(link: Link, direction: Direction): Promise<void> {
    const [from, to] = direction === 'up' ? [link.client, link.broker] : [link.broker, link.client];
    for await (const chunk of from as AsyncIterable<Buffer>) {
      const dueMs = Date.now() + proxy.delayMs;
      const allowed = watch(link, direction, chunk);
      while (holes.has(direction) && links.has(link)) await delay(20);
      if (dueMs > Date.now()) await delay(dueMs - Date.now());
      if (to.destroyed) return;
      // Backpressure: a bridge that does not read is noticed by the broker.
      if (!to.write(allowed)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      if (allowed !== chunk && (proxy.spoil === undefined || direction === 'up')) {
        to.destroySoon();
        from.destroy();
        return;
      }
    }
    if (direction === 'down' && proxy.saysTakenOver) to.write(takenOver);
    to.end();
  }

  /**
   * Looks at the packets of a chunk; gives back the chunk, its part before the PUBACK to cut at, or what is in place
   * of its packets.
   */
  function watch(link: Link, direction: Direction, chunk: Buffer): Buffer {
    const frames = link.framers[direction].push(chunk);
    for (const { packet, start } of frames) {
      if (packet.cmd === 'puback' && pubacksUntilCut-- <= 0) {
        pubacksUntilCut = Number.POSITIVE_INFINITY;
        return chunk.subarray(0, Math.max(0, start));
      }
      note(link, packet);
    }
    const { spoil } = proxy;
    if (spoil === undefined || direction === 'up') return chunk;
    return Buffer.concat(frames.map(({ packet, bytes }) => spoil(packet, bytes)));
  }

  function note(link: Link, packet: Packet): void {
    if (packet.cmd === 'connect') {
      proxy.connects++;
      for (const framer of Object.values(link.framers))
        framer.version = packet.protocolVersion ?? 4;
      const { clientId } = packet;
      connectsOf.set(clientId, (connectsOf.get(clientId) ?? 0) + 1);
      if ([...links].some((other) => other.clientId === clientId)) proxy.heldTwice.push(clientId);
      link.clientId = clientId;
    } else if (packet.cmd === 'disconnect') {
      link.clientId = undefined;
    } else if (packet.cmd === 'publish') {
      proxy.publishes++;
      const number = numberIn(Buffer.from(packet.payload));
      if (number !== undefined) link.numbers.set(packet.messageId ?? 0, number);
    } else if (packet.cmd === 'puback') {
      proxy.pubacks++;
      const number = link.numbers.get(packet.messageId ?? 0);
      if (number !== undefined) onPuback(number);
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const proxy: NetworkProxy = {
    port: address.port,
    connects: 0,
    connectsOf,
    heldTwice: [],
    publishes: 0,
    pubacks: 0,
    delayMs: 0,
    saysTakenOver: false,
    spoil: undefined,
    cut() {
      for (const { client, broker } of links) {
        client.resetAndDestroy();
        broker.resetAndDestroy();
      }
    },
    halfClose(direction) {
      for (const { client, broker } of links) (direction === 'up' ? broker : client).end();
    },
    blackHole: (direction) => void holes.add(direction),
    heal: () => holes.clear(),
    cutAtPuback(count) {
      pubacksUntilCut = count;
    },
    async close() {
      server.close();
      proxy.cut();
    },
  };
  return proxy;
}
