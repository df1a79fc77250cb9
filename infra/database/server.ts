// DynamoDB's HTTP protocol in front of an embedded database: for other processes of the same user, which reach it
// through a Unix socket, and for tests that need an endpoint.
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { ListenOptions } from 'node:net';
import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import type { Database } from './database.ts';
import { refusal } from './values/errors.ts';

/** DynamoDB's limit on a request. */
const maxRequestBytes = 16 * 1024 * 1024;
const requestTimeoutMs = 30_000;

/** Serves the database at a path (a Unix socket) or a port, until the server is closed. */
export async function serveDatabase(
  database: Pick<Database, 'call'>,
  where: ListenOptions,
): Promise<Server> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    void answer(database, request, response);
  });
  server.listen(where);
  await once(server, 'listening');
  return server;
}

/** How a client reaches a Unix socket; the host in its endpoint's URL is looked up by nobody. */
export function socketHandler(socketPath: string) {
  // Node takes it, its types do not know it.
  return { httpAgent: new Agent({ socketPath } as object) };
}

async function answer(
  database: Pick<Database, 'call'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const [, name = ''] = String(request.headers['x-amz-target']).split('.');
    const input = JSON.parse(await textOf(request), toBytes) as object;
    send(response, 200, await database.call(name, input));
  } catch (error) {
    if (!(error instanceof DynamoDBServiceException)) {
      send(response, 500, { __type: typeOf('InternalServerError'), message: String(error) });
      return;
    }
    const { name, message, $fault } = error;
    const item = 'Item' in error ? { Item: error.Item } : {};
    send(response, $fault === 'server' ? 500 : 400, { __type: typeOf(name), message, ...item });
  }
}

function typeOf(name: string): string {
  return `com.amazonaws.dynamodb.v20120810#${name}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxRequestBytes) throw refusal('the request is larger than 16 MB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body, fromBytes));
}

/** For JSON.parse: DynamoDB writes bytes as base64. A text under the name `B` can only be bytes: attributes of that name are objects. */
export function toBytes(name: string, value: unknown): unknown {
  if (name === 'B' && typeof value === 'string') return bytesOf(value);
  if (name === 'BS' && Array.isArray(value)) return value.map(bytesOf);
  return value;
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function fromBytes(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
