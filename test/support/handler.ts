// An HTTP handler for tests that keeps what it gets and answers as the test says.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The envelopes, as sent. */
  readonly events: readonly {
    id: string;
    subject: string;
    data?: string;
    [name: string]: unknown;
  }[];
}

export interface TestHandler {
  readonly url: string;
  readonly requests: Received[];
  /** All events of requests that were answered 2xx, in order. */
  readonly stored: Received['events'][number][];
  /** How to answer; by default 200 with an empty body. */
  answer: (received: Received, response: ServerResponse) => void | Promise<void>;
  close(): Promise<void>;
}

export async function startHandler(): Promise<TestHandler> {
  const requests: Received[] = [];
  const stored: Received['events'][number][] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const received = { headers: request.headers, body, events: JSON.parse(body) };
    requests.push(received);
    response.on('finish', () => {
      if (response.statusCode < 300) stored.push(...received.events);
    });
    await handler.answer(received, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const handler: TestHandler = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ingest`,
    requests,
    stored,
    answer: (_, response) => void response.end(),
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return handler;
}
