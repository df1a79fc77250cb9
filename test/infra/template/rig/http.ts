// What function URLs and HTTP APIs share: requests as events of format 2.0, results as responses.
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';

/** Listens on a free port of loopback; resolves with the URL. */
export async function listenLocally(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function bodyOf(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export interface EventOptions {
  readonly routeKey: string;
  readonly authorizer?: unknown;
  readonly pathParameters?: Readonly<Record<string, string>>;
  /** As it is handed over, where that is not as it was sent. */
  readonly path?: string;
}

/** A request as an event, payload format 2.0. */
export function eventOf(request: IncomingMessage, body: Buffer, options: EventOptions): unknown {
  const { method = 'GET', headers, url = '/' } = request;
  const [sentPath = '/', rawQueryString = ''] = url.split(/\?(.*)/s);
  const rawPath = options.path ?? sentPath;
  const query = new URLSearchParams(rawQueryString);
  const isText = /^(text\/|application\/(json|javascript|xml)\b)/.test(
    headers['content-type'] ?? '',
  );
  const { cookie, ...others } = headers;
  const nowMs = Date.now();
  return {
    version: '2.0',
    routeKey: options.routeKey,
    rawPath,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    headers: Object.fromEntries(
      Object.entries(others).map(([name, value]) => [name, [value].flat().join(',')]),
    ),
    ...(query.size > 0 && {
      queryStringParameters: Object.fromEntries(
        [...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')]),
      ),
    }),
    ...(options.pathParameters !== undefined && { pathParameters: options.pathParameters }),
    requestContext: {
      accountId: 'anonymous',
      apiId: 'test',
      ...(options.authorizer !== undefined && { authorizer: options.authorizer }),
      domainName: headers.host,
      domainPrefix: 'test',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: headers['user-agent'],
      },
      requestId: 'test',
      routeKey: options.routeKey,
      stage: '$default',
      time: new Date(nowMs).toISOString(),
      timeEpoch: nowMs,
    },
    ...(body.byteLength > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.byteLength > 0 && !isText,
  };
}

const resultSchema = z.strictObject({
  statusCode: z.int().min(100).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

/** Sends a handler's result. Throws where it has not the form of one. */
export function sendResult(response: ServerResponse, result: unknown): void {
  const { statusCode, headers, cookies, body, isBase64Encoded } = resultSchema.parse(result);
  const { 'content-length': _, ...others } = headers;
  response.writeHead(statusCode, {
    ...others,
    ...(cookies.length > 0 && { 'set-cookie': cookies }),
  });
  response.end(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}

/** An answer of AWS's own. */
export function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message }));
}
