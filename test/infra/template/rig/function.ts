// A Lambda function: its asset in Lambda's own runtime client, fed by a Runtime API. One environment, which starts with
// the first event and takes one at a time.
import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { type Child, networkText, type ProcessNetwork, preload, startChild } from './child.ts';
import { bodyOf, listenLocally } from './http.ts';

export interface FunctionOptions {
  readonly name: string;
  readonly arn: string;
  readonly folder: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMiB: number;
  /** As declared, and as Lambda adds to it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly network: ProcessNetwork;
}

export interface RunningFunction {
  /** Resolves with what the handler returned. Rejects with an {@link InvocationError}. */
  invoke(event: unknown): Promise<unknown>;
  /** Refuses all events, as where the account has no instances left. */
  isThrottled: boolean;
  /** Events that were refused for that. */
  readonly throttles: number;
  /** What it has logged. */
  readonly output: () => string;
  close(): Promise<void>;
}

/** `failed`: the handler threw, timed out, or did not start. */
export class InvocationError extends Error {
  readonly kind: 'failed' | 'throttled' | 'too-large';

  constructor(kind: InvocationError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Job {
  readonly event: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Largest event and result of a synchronous invocation [Lambda quotas]. */
export const maxPayloadBytes = 6 * 1024 * 1024;

const runtimeClient = fileURLToPath(
  new URL('../../../../node_modules/aws-lambda-ric/bin/index.mjs', import.meta.url),
);

export async function startFunction(options: FunctionOptions): Promise<RunningFunction> {
  const { name, folder, handler, timeoutMs } = options;
  const queue: Job[] = [];
  const jobs = new Map<string, Job>();
  let poll: ServerResponse | undefined;
  let child: Child | undefined;
  let output = '';

  const server: Server = createServer(async (request, response) => {
    const [, id = '', what] =
      /^\/2018-06-01\/runtime\/(?:invocation|init)\/(?:([^/]+)\/)?(next|response|error)$/.exec(
        request.url ?? '',
      ) ?? [];
    if (what === 'next') {
      poll = response;
      next();
      return freezeIfIdle();
    }
    const body = JSON.parse((await bodyOf(request)).toString());
    response.writeHead(202).end();
    const job = jobs.get(id);
    jobs.delete(id);
    const reason = `${name}: ${JSON.stringify(body)}`;
    if (job === undefined) failAll(reason);
    else if (what === 'error') job.reject(new InvocationError('failed', reason));
    else job.resolve(body);
    freezeIfIdle();
  });
  const url = await listenLocally(server);

  /** Hands the oldest event to the environment, if it waits for one. */
  function next(): void {
    const job = poll === undefined ? undefined : queue.shift();
    if (job === undefined) return;
    child?.process.kill('SIGCONT');
    const id = randomUUID();
    jobs.set(id, job);
    poll?.writeHead(200, {
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': Date.now() + timeoutMs,
      'lambda-runtime-invoked-function-arn': options.arn,
    });
    poll?.end(job.event);
    poll = undefined;
  }

  /** Lambda stops an environment between events: what it leaves to do after its answer waits for the next one. */
  function freezeIfIdle(): void {
    if (poll !== undefined && jobs.size === 0) child?.process.kill('SIGSTOP');
  }

  function failAll(reason: string): void {
    for (const job of [...jobs.values(), ...queue.splice(0)])
      job.reject(new InvocationError('failed', reason));
    jobs.clear();
  }

  function startEnvironment(): void {
    const started = startChild(
      process.execPath,
      [
        '--require',
        preload('runtime-client'),
        '--require',
        preload('network'),
        runtimeClient,
        handler,
      ],
      {
        folder,
        environment: {
          ...options.environment,
          AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(options.memoryMiB),
          AWS_LAMBDA_FUNCTION_NAME: name,
          AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
          AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true',
          AWS_LAMBDA_RUNTIME_API: url.replace('http://', ''),
          LAMBDA_TASK_ROOT: folder,
          TEST_NETWORK: networkText(options.network, url),
        },
      },
    );
    child = started;
    void started.exited.then((code) => {
      output += started.output();
      if (child === started) child = undefined;
      poll = undefined;
      failAll(`${name} ended with ${code}: ${started.output().slice(-2000)}`);
    });
  }

  let throttles = 0;
  const running: RunningFunction = {
    isThrottled: false,
    get throttles() {
      return throttles;
    },
    output: () => output + (child?.output() ?? ''),
    invoke(event) {
      const text = JSON.stringify(event);
      if (Buffer.byteLength(text) > maxPayloadBytes)
        return Promise.reject(new InvocationError('too-large', 'RequestEntityTooLargeException'));
      if (running.isThrottled) {
        throttles++;
        return Promise.reject(new InvocationError('throttled', 'TooManyRequestsException'));
      }
      if (child === undefined) startEnvironment();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new InvocationError('failed', `${name} timed out after ${timeoutMs} ms`));
          child?.process.kill('SIGKILL');
        }, timeoutMs);
        const settle =
          <T>(then: (value: T) => void) =>
          (value: T) => {
            clearTimeout(timer);
            then(value);
          };
        queue.push({ event: text, resolve: settle(resolve), reject: settle(reject) });
        next();
      });
    },
    async close() {
      child?.process.kill('SIGKILL');
      await child?.exited;
      server.close();
      server.closeAllConnections();
    },
  };
  return running;
}
