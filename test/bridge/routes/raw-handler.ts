// An HTTP handler that keeps what it gets as it came, and answers with one answer.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RawHandler {
  readonly url: string;
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: string }[];
  answer: {
    readonly status: number;
    readonly body: string;
    readonly headers?: Record<string, string>;
  };
  close(): Promise<void>;
}

export async function startRawHandler(): Promise<RawHandler> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    handler.requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const { status, body, headers = {} } = handler.answer;
    response.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const handler: RawHandler = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: { status: 200, body: '' },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return handler;
}
