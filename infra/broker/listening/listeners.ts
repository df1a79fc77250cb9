// The ports: plain TCP, TLS, and WebSocket over either. What comes in is one stream for each client.
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, isIP, isIPv6, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  createServer as createTlsServer,
  TLSSocket,
  type TlsOptions,
  type Server as TlsServer,
} from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Origin } from '../connection/connection.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Transport } from '../telemetry/events.ts';

export interface Listeners {
  /** Where each transport listens. */
  readonly ports: Partial<Record<Transport, number>>;
  /** The same as URLs, with the hosts of the settings. */
  readonly urls: readonly string[];
  /** Shows this certificate to those who connect from now on; nobody is disconnected. */
  renew(certificate: TlsOptions): void;
  close(): Promise<void>;
}

/** Opens all ports of the settings, or none. Rejects where one cannot be had. */
export async function openListeners(
  settings: BrokerSettings,
  certificate: TlsOptions | undefined,
  counters: Counters,
  accept: (stream: Duplex, origin: Origin) => void,
): Promise<Listeners> {
  const { host, backlog, limits } = settings;
  const sockets = new Set<Socket>();
  const addresses = new Map<string, number>();
  const servers: Server[] = [];
  const secureServers: SecureServer[] = [];
  const ports: Listeners['ports'] = {};
  const urls: string[] = [];

  // Counted from the first byte, before TLS and HTTP.
  const admit = (socket: Socket) => {
    const address = plainAddress(socket.remoteAddress);
    const fromThere = addresses.get(address) ?? 0;
    socket.on('error', () => {});
    if (sockets.size >= limits.maxConnections || fromThere >= limits.maxConnectionsPerAddress) {
      counters.connectionsOverLimit++;
      socket.destroy();
      return;
    }
    // A client whose machine is gone says nothing; without keep-alive of its own it would stay for ever.
    socket.setKeepAlive(true, 60_000);
    socket.setNoDelay(true);
    sockets.add(socket);
    addresses.set(address, fromThere + 1);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (addresses.get(address) ?? 1) - 1;
      if (left === 0) addresses.delete(address);
      else addresses.set(address, left);
    });
  };
  const accepted = (transport: Transport) => (stream: Duplex, socket: Socket) => {
    if (socket.destroyed) return;
    const address = plainAddress(socket.remoteAddress);
    accept(stream, { address, transport, certificateName: certificateName(socket) });
  };
  const open = async (
    server: Server,
    transport: Transport,
    at: { readonly port: number; readonly host?: string | undefined; readonly path?: string },
  ) => {
    server.prependListener('connection', admit);
    servers.push(server);
    server.listen({ host: at.host ?? host, port: at.port, backlog });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    ports[transport] = port;
    urls.push(urlOf(transport, at.host ?? host, port, at.path));
  };
  const close = async () => {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.map((server) => server.listening && once(server, 'close')));
  };

  const handshakeTimeout = limits.connectTimeoutMs;
  // Node looks every 30 s for requests that take too long.
  const connectionsCheckingInterval = Math.min(limits.connectTimeoutMs, 30_000);
  const { tls, websocket } = settings;
  try {
    if (settings.port !== null) {
      const take = accepted('tcp');
      await open(
        createServer((socket) => take(socket, socket)),
        'tcp',
        { port: settings.port },
      );
    }
    if (tls !== undefined) {
      const take = accepted('tls');
      const options = { ...certificate, handshakeTimeout };
      const server = createTlsServer(options, (socket) => take(socket, socket));
      // Nobody else closes it: a handshake that takes too long, or that fails.
      server.on('tlsClientError', (_, socket) => {
        counters.protocolErrors++;
        socket.destroy();
      });
      secureServers.push(server);
      await open(server, 'tls', tls);
    }
    if (websocket !== undefined) {
      const transport = websocket.tls ? 'wss' : 'ws';
      const server = websocket.tls
        ? createHttpsServer({ ...certificate, handshakeTimeout, connectionsCheckingInterval })
        : createHttpServer({ connectionsCheckingInterval });
      if ('setSecureContext' in server) secureServers.push(server);
      takeWebSockets(server, settings, counters, accepted(transport));
      await open(server, transport, websocket);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const renew = (renewed: TlsOptions) => {
    for (const server of secureServers) server.setSecureContext(renewed);
  };
  return { ports, urls, renew, close };
}

type SecureServer = Pick<TlsServer, 'setSecureContext'>;

const schemes = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;

function urlOf(transport: Transport, host: string, port: number, path = ''): string {
  return `${schemes[transport]}://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`;
}

function takeWebSockets(
  server: HttpServer,
  { websocket, limits }: BrokerSettings,
  counters: Counters,
  take: (stream: Duplex, socket: Socket) => void,
): void {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxPacketBytes + 1024,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  server.headersTimeout = limits.connectTimeoutMs;
  server.requestTimeout = limits.connectTimeoutMs;
  server.on('request', (_, response) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end();
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    const { origin, 'sec-websocket-protocol': protocols = '' } = request.headers;
    // A browser sends Origin. Without this check any page that somebody opens on this machine could connect as an
    // anonymous client on loopback.
    const originAllowed = origin === undefined || websocket?.origins.includes(origin);
    const isMqtt = protocols.split(',').some((name) => name.trim() === 'mqtt');
    if (!originAllowed || !isMqtt || request.url?.split('?')[0] !== websocket?.path) {
      counters.webSocketsRefused++;
      const status = originAllowed ? '400 Bad Request' : '403 Forbidden';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (client) => {
      take(createWebSocketStream(client), socket);
    });
  });
}

function certificateName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}

/** An address as it is shown and compared: IPv4 within IPv6 as IPv4. */
export function plainAddress(address: string | undefined): string {
  const inner = address?.replace(/^::ffff:/i, '') ?? '';
  return isIP(inner) === 4 ? inner : (address ?? '');
}
