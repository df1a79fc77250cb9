// A broker of bytes, for what no broker should send. It keeps one session, and sends what is not acknowledged again on
// each connection, in its order, with DUP.
import { createServer, type Socket } from 'node:net';
import mqttPacket, { type IPublishPacket, type Packet } from 'mqtt-packet';
import { listenDuringTest } from '../../support/listen-during-test.ts';
import { int16, packet, properties } from '../packets/wire.ts';

export interface RawBroker {
  readonly url: string;
  /** What the client sent on each of its connections. */
  readonly connections: (readonly Packet[])[];
  /** Packets that are sent until they are acknowledged, by their ids. */
  readonly unacknowledged: Map<number, Buffer>;
  /** Bytes to the connection that there is now. */
  send(bytes: Buffer): void;
  /** Ends the connection that there is now without a word. */
  cut(): void;
}

export interface RawBrokerOptions {
  readonly protocolVersion?: 4 | 5;
  /** In CONNACK (MQTT 5). */
  readonly connackProperties?: Buffer;
  /** The answer to the nth SUBSCRIBE; by default granted, undefined is silence. */
  readonly suback?: (packetId: number, attempt: number) => Buffer | undefined;
  /** What is written once the subscription is answered: by default all of `queued` in one segment. */
  readonly deliver?: (socket: Socket, queued: readonly Buffer[], connection: number) => void;
  readonly answersPings?: boolean;
  /** Connections that end at CONNECT, by their number. */
  readonly cutsAtConnect?: (connection: number) => boolean;
  /** What follows the PUBACK of a PUBLISH. */
  readonly onPublish?: (published: IPublishPacket, send: (bytes: Buffer) => void) => void;
}

export async function startRawBroker(options: RawBrokerOptions = {}): Promise<RawBroker> {
  const { protocolVersion = 5, answersPings = true } = options;
  const isNew = protocolVersion === 5;
  const granted = (packetId: number) =>
    packet(0x90, int16(packetId), isNew ? properties() : Buffer.alloc(0), Buffer.from([1]));
  const {
    connackProperties = properties(),
    suback = granted,
    deliver = (socket: Socket, queued: readonly Buffer[]) => socket.write(Buffer.concat(queued)),
  } = options;
  const unacknowledged = new Map<number, Buffer>();
  const connections: Packet[][] = [];
  let current: Socket | undefined;
  let hasSession = false;
  let subscribes = 0;
  const server = createServer((socket) => {
    const received: Packet[] = [];
    const number = connections.push(received) - 1;
    current = socket;
    const isAgain = hasSession;
    socket.on('error', () => {});
    const parser = mqttPacket.parser({ protocolVersion });
    parser.on('packet', (given) => {
      received.push(given);
      switch (given.cmd) {
        case 'connect': {
          if (options.cutsAtConnect?.(number)) {
            socket.destroy();
            break;
          }
          const flags = Buffer.from([hasSession ? 1 : 0, 0]);
          hasSession = true;
          socket.write(packet(0x20, flags, isNew ? connackProperties : Buffer.alloc(0)));
          break;
        }
        case 'subscribe': {
          const answer = suback(given.messageId ?? 0, ++subscribes);
          if (answer === undefined) break;
          socket.write(answer);
          const queued = [...unacknowledged.values()];
          if (isAgain) for (const bytes of queued) bytes[0] = (bytes[0] ?? 0) | 8;
          deliver(socket, queued, number);
          break;
        }
        case 'publish':
          if (given.qos > 0) socket.write(packet(0x40, int16(given.messageId ?? 0)));
          options.onPublish?.(given, (bytes) => socket.write(bytes));
          break;
        case 'puback':
        case 'pubcomp':
          unacknowledged.delete(given.messageId ?? 0);
          break;
        case 'pubrec':
          socket.write(packet(0x62, int16(given.messageId ?? 0)));
          break;
        case 'pingreq':
          if (answersPings) socket.write(Buffer.from([0xd0, 0]));
      }
    });
    socket.on('data', (bytes) => parser.parse(bytes));
  });
  const port = await listenDuringTest(server);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    connections,
    unacknowledged,
    send: (bytes) => void current?.write(bytes),
    cut: () => void current?.destroy(),
  };
}
