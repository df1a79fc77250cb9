// Lambda's API at its own host, with TLS: Invoke, asked with a role's signature, with Lambda's errors and limits.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Access } from './access.ts';
import { InvocationError, type RunningFunction } from './function.ts';
import { bodyOf, listenLocally } from './http.ts';
import { arn } from './identities.ts';
import type { Certificate } from './world.ts';

export interface LambdaApi {
  readonly url: string;
  close(): void;
}

export interface LambdaApiOptions {
  readonly access: Access;
  /** For the host of the API. */
  readonly certificate: Certificate;
  readonly functions: ReadonlyMap<string, Pick<RunningFunction, 'invoke'>>;
}

const refusals = {
  throttled: { status: 429, type: 'TooManyRequestsException' },
  'too-large': { status: 413, type: 'RequestTooLargeException' },
} as const;

export async function startLambdaApi(options: LambdaApiOptions): Promise<LambdaApi> {
  const { certificate, privateKey } = options.certificate;
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) =>
    answer(options, request, response),
  );
  return {
    url: (await listenLocally(server)).replace('http:', 'https:'),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { access, functions }: LambdaApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request);
  const { method = '', url = '', headers } = request;
  const caller = access.callerOf({ method, target: url, headers, body }, 'lambda');
  if (caller === undefined) return refuse(response, 403, 'InvalidSignatureException');
  const [, given = ''] = /^\/2015-03-31\/functions\/([^/?]+)\/invocations$/.exec(url) ?? [];
  const name = decodeURIComponent(given).split(':function:').at(-1) ?? '';
  const resource = arn('lambda', `function:${name}`);
  if (!access.use(caller, { action: 'lambda:InvokeFunction', resource }))
    return refuse(response, 403, 'AccessDeniedException');
  const target = functions.get(name);
  if (target === undefined || method !== 'POST')
    return refuse(response, 404, 'ResourceNotFoundException');
  let event: unknown;
  try {
    event = JSON.parse(body.toString());
  } catch {
    return refuse(response, 400, 'InvalidRequestContentException');
  }
  try {
    response.end(JSON.stringify((await target.invoke(event)) ?? null));
  } catch (error) {
    const kind = error instanceof InvocationError ? error.kind : 'failed';
    if (kind !== 'failed') return refuse(response, refusals[kind].status, refusals[kind].type);
    response.setHeader('x-amz-function-error', 'Unhandled');
    response.end(JSON.stringify({ errorType: 'Error', errorMessage: String(error) }));
  }
}

function refuse(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': type });
  response.end(JSON.stringify({ Message: type }));
}
