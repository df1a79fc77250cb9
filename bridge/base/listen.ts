// A Hono app on a port, by HTTP or HTTPS: resolves when it listens, and closes with the connections that are open. What
// clients send of bodies has a bound, for one in time and for all in bytes.
import type { Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { PartialReads } from './partial-reads.ts';

export interface Listening {
  readonly url: string;
  /** Shows this certificate to those who connect from now on; nobody is disconnected. Of HTTPS only. */
  renew(certificate: SecureContextOptions): void;
  close(): Promise<void>;
}

const answerMs = 200;
/** A request has come whole by then, or its connection is closed. */
const requestTimeoutMs = 60_000;
const handshakeTimeoutMs = 10_000;
const defaultMaxPartialBodiesBytes = 64 * 1024 * 1024;

export interface ListenOptions {
  /** Serves HTTPS with this certificate; HTTP without one. */
  readonly certificate?: SecureContextOptions | undefined;
  /**
   * Bytes of bodies that have not come whole, of all requests together; above it, those that began first are closed:
   * who sends a part and waits, not who sends much. Default 64 MiB.
   */
  readonly maxPartialBodiesBytes?: number;
}

/** What is served; a Hono app is one. */
export type Served = Pick<Hono, 'fetch'>;

/** Serves `app`; port 0 takes a free one. Rejects where the port cannot be had. */
export async function listen(
  app: Served,
  host: string,
  port: number,
  { certificate, maxPartialBodiesBytes = defaultMaxPartialBodiesBytes }: ListenOptions = {},
): Promise<Listening> {
  const requestTimeout = requestTimeoutMs;
  const server = serve({
    fetch: async (request, environment) => withoutReuse(await app.fetch(request, environment)),
    hostname: host,
    port,
    ...(certificate === undefined
      ? { serverOptions: { requestTimeout } }
      : {
          createServer: createHttpsServer,
          serverOptions: { ...certificate, requestTimeout, handshakeTimeout: handshakeTimeoutMs },
        }),
  }) as Server | HttpsServer;
  guardBodies(server, maxPartialBodiesBytes);
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const scheme = certificate === undefined ? 'http' : 'https';
  const name = isIPv6(host) ? `[${host}]` : host;
  return {
    url: `${scheme}://${name}:${(server.address() as AddressInfo).port}`,
    renew(renewed) {
      if (server instanceof HttpsServer) server.setSecureContext(renewed);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Answers that are being written get a moment to leave.
        setTimeout(() => server.closeAllConnections(), answerMs).unref();
      }),
  };
}

/** Counts what is read of each body until it is whole, or has its answer. */
function guardBodies(server: Server | HttpsServer, maxBytes: number): void {
  const partial = new PartialReads(maxBytes);
  server.prependListener('request', (request, response) => {
    let bytes = 0;
    const close = () => request.destroy();
    const push = request.push.bind(request);
    request.push = (chunk, encoding) => {
      bytes = chunk === null || response.writableEnded ? 0 : bytes + chunk.length;
      partial.note(close, bytes);
      return push(chunk, encoding);
    };
    response.once('close', () => partial.note(close, 0));
  });
}

/** The rest of a body that is too large is not read, so its connection ends: the client must not use it again. */
function withoutReuse(response: Response): Response {
  if (response.status === 413) response.headers.set('connection', 'close');
  return response;
}
