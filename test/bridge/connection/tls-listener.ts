// A port that answers CONNECT over TLS or WebSocket over TLS, can be closed, and opened again at the same place with
// other options.
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** Answers every CONNECT with success. */
function serveMqtt(stream: Duplex): void {
  stream.on('error', () => {});
  const parser = mqttPacket.parser();
  parser.on('packet', (packet) => {
    if (packet.cmd !== 'connect') return;
    const connack: Packet = { cmd: 'connack', reasonCode: 0, sessionPresent: false };
    stream.write(mqttPacket.generate(connack, { protocolVersion: 5 }));
  });
  // As brokers do: what is no packet ends the connection.
  parser.on('error', () => stream.destroy());
  stream.on('data', (bytes) => parser.parse(bytes));
}

export type Transport = 'mqtt' | 'mqtts' | 'wss';

export class TlsListener {
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();

  /** Where it listens; the same after it was opened again. */
  get port(): number {
    return this.#port;
  }

  async open(transport: Transport, options: TlsOptions = {}): Promise<void> {
    await this.close();
    const server = serverOf(transport, options);
    server.prependListener('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await once(server, 'close');
  }
}

function serverOf(transport: Transport, options: TlsOptions): Server {
  if (transport === 'mqtt') return createTcpServer(serveMqtt);
  if (transport === 'mqtts') return createTlsServer(options, serveMqtt);
  const server = createHttpsServer(options);
  const webSockets = new WebSocketServer({ server, handleProtocols: () => 'mqtt' });
  webSockets.on('connection', (client) => serveMqtt(createWebSocketStream(client)));
  return server;
}
