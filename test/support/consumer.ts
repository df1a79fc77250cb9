// A consumer of webhooks with nothing of ours: a plain HTTP server that keeps requests byte for byte.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { listenDuringTest } from './listen-during-test.ts';

export interface Consumed {
  readonly method: string;
  /** Path and query, as they came. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Consumer {
  readonly url: string;
  readonly port: number;
  readonly consumed: Consumed[];
  /** How many connections were made to it. */
  connections: number;
  /** How to answer; by default 204. */
  answer: (consumed: Consumed, response: ServerResponse) => void;
}

/** Starts one on loopback; it ends with the test. */
export async function startConsumer(): Promise<Consumer> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: target = '', headers, rawHeaders } = request;
    const one = { method, target, headers, rawHeaders, body: Buffer.concat(chunks) };
    consumer.consumed.push(one);
    consumer.answer(one, response);
  });
  server.on('connection', () => consumer.connections++);
  const port = await listenDuringTest(server);
  const consumer: Consumer = {
    url: `http://127.0.0.1:${port}/`,
    port,
    consumed: [],
    connections: 0,
    answer: (_, response) => void response.writeHead(204).end(),
  };
  return consumer;
}
