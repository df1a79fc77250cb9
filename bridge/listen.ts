// A Hono app on a port: resolves when it listens, and closes with the connections that are open.
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

const answerMs = 200;

/** Serves `app`; port 0 takes a free one. Rejects where the port cannot be had. */
export async function listen(app: Hono, host: string, port: number): Promise<Listening> {
  const server = serve({
    fetch: async (request, environment) => withoutReuse(await app.fetch(request, environment)),
    hostname: host,
    port,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Answers that are being written get a moment to leave.
        if ('closeAllConnections' in server)
          setTimeout(() => server.closeAllConnections(), answerMs).unref();
      }),
  };
}

/**
 * The rest of a body that is too large is not read, so its connection ends: the client must not use it again. And who
 * was told 503, by a standby, has to look up the name again to reach another bridge.
 */
function withoutReuse(response: Response): Response {
  if (response.status === 413 || response.status === 503)
    response.headers.set('connection', 'close');
  return response;
}
