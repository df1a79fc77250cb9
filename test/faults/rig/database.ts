// A shim in front of the embedded database that throttles as DynamoDB does, which that one never would.
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
  /** Write units that one partition key takes a second; what is above comes back unprocessed. */
  keyUnitsPerSecond: number;
  readonly counts: { refused: number; unprocessed: number };
  close(): Promise<void>;
}

type Writes = Record<string, Write[]>;

interface Write {
  readonly PutRequest?: { readonly Item: { readonly pk: { readonly S: string } } };
}

/** What each key has left of its units, which are those of one second at most. */
class KeyUnits {
  readonly #left = new Map<string, { units: number; atMs: number }>();

  /** Whether the key has so many; then they are spent. */
  spend(key: string, units: number, perSecond: number): boolean {
    const nowMs = performance.now();
    const { units: left, atMs } = this.#left.get(key) ?? { units: perSecond, atMs: nowMs };
    const now = Math.min(perSecond, left + ((nowMs - atMs) / 1000) * perSecond);
    const isEnough = now >= units;
    this.#left.set(key, { units: isEnough ? now - units : now, atMs: nowMs });
    return isEnough;
  }
}

export async function startThrottlingDatabase(
  endpoint: string,
  random: Random,
): Promise<ThrottlingDatabase> {
  const keyUnits = new KeyUnits();

  /** Whether a write of a batch is taken. */
  function isTaken(write: Write): boolean {
    if (random.chance(database.unprocessedShare)) return false;
    if (write.PutRequest === undefined || !Number.isFinite(database.keyUnitsPerSecond)) return true;
    const { Item: item } = write.PutRequest;
    // Binary is base64 here, and so taken as a third more than it is.
    const units = Math.ceil(JSON.stringify(item).length / 1024);
    return keyUnits.spend(item.pk.S, units, database.keyUnitsPerSecond);
  }

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
          const pile = isTaken(write) ? kept : left;
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
    keyUnitsPerSecond: Number.POSITIVE_INFINITY,
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
