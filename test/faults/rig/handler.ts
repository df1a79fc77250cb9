// The real ingest handler, served over HTTP in the test's process, with a layer in front that can fail.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hono } from 'hono';
import { notedHeader } from '../../../functions/contract/noted.ts';

/** One request that the fault layer decides about. */
export interface Call {
  readonly body: string;
  readonly ids: readonly string[];
  readonly response: ServerResponse;
  /** Lets ingest handle it, and resolves with its answer, which is not sent. */
  ingest(): Promise<Response>;
  /** Lets ingest handle it, and answers as ingest does. */
  pass(): Promise<void>;
}

/** Answers a request, or leaves it without an answer. */
export type Fault = (call: Call) => void | Promise<void>;

export interface FaultyHandler {
  readonly url: string;
  fault: Fault | undefined;
  requests: number;
  /** Ids of all messages that were sent here since `seen` was last cleared, answered or not. */
  readonly seen: Set<string>;
  /** Refuses connections from now on, and ends those that are open. */
  refuse(): Promise<void>;
  /** Listens again, on the same port. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultyHandler(ingest: Pick<Hono, 'request'>): Promise<FaultyHandler> {
  let port = 0;
  const ingesting = new Set<Promise<unknown>>();
  const server = createServer((request, response) => {
    // A bridge that is killed in the middle of a request is nothing to report.
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const ids = (JSON.parse(body) as { id: string }[]).map(({ id }) => id);
    handler.requests++;
    for (const id of ids) handler.seen.add(id);
    const contentType = request.headers['content-type'] ?? '';
    const noted = request.headers[notedHeader];
    const handle = async () => {
      const handling = Promise.resolve(
        ingest.request('/', {
          method: 'POST',
          headers: {
            'content-type': contentType,
            ...(typeof noted === 'string' && { [notedHeader]: noted }),
          },
          body,
        }),
      );
      ingesting.add(handling);
      return handling.finally(() => ingesting.delete(handling));
    };
    const pass = async () => {
      const answer = await handle();
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    };
    const { fault } = handler;
    await (fault === undefined ? pass() : fault({ body, ids, response, ingest: handle, pass }));
  }

  async function listen(): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  }

  async function stop(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  await listen();
  const handler: FaultyHandler = {
    url: `http://127.0.0.1:${port}/`,
    fault: undefined,
    requests: 0,
    seen: new Set(),
    refuse: stop,
    accept: listen,
    async close() {
      await stop();
      // The database must not go while it is written to.
      await Promise.allSettled(ingesting);
    },
  };
  return handler;
}
