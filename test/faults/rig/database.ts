// A shim in front of dynalite that throttles as DynamoDB does, which dynalite never would.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from './random.ts';

export interface ThrottlingDatabase {
  readonly endpoint: string;
  /** Share of calls that are refused as a whole. */
  refusedShare: number;
  /** Share of the writes of a batch that come back unprocessed. */
  unprocessedShare: number;
  readonly counts: { refused: number; unprocessed: number };
  close(): Promise<void>;
}

type Writes = Record<string, unknown[]>;

export async function startThrottlingDatabase(
  endpoint: string,
  random: Random,
): Promise<ThrottlingDatabase> {
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    let body = Buffer.concat(chunks).toString();
    if (random.chance(database.refusedShare)) {
      database.counts.refused++;
      return answer(response, 400, {
        __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
        message: 'The level of configured provisioned throughput for the table was exceeded.',
      });
    }
    const kept: Writes = {};
    const left: Writes = {};
    const isBatch = String(request.headers['x-amz-target']).endsWith('.BatchWriteItem');
    if (isBatch) {
      const call = JSON.parse(body) as { RequestItems: Writes };
      for (const [table, writes] of Object.entries(call.RequestItems)) {
        for (const write of writes) {
          const pile = random.chance(database.unprocessedShare) ? left : kept;
          pile[table] = [...(pile[table] ?? []), write];
          if (pile === left) database.counts.unprocessed++;
        }
      }
      if (Object.keys(kept).length === 0) return answer(response, 200, { UnprocessedItems: left });
      body = JSON.stringify({ ...call, RequestItems: kept });
    }
    const { host: _, 'content-length': __, connection: ___, ...headers } = request.headers;
    const answered = await fetch(endpoint, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body,
    });
    const result = (await answered.json()) as Record<string, unknown>;
    if (isBatch && answered.ok) result['UnprocessedItems'] = left;
    answer(response, answered.status, result);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const database: ThrottlingDatabase = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusedShare: 0,
    unprocessedShare: 0,
    counts: { refused: 0, unprocessed: 0 },
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return database;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(body));
}
