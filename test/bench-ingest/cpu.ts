// CPU of the ingest function for a message: the app itself, before a database that takes everything at once.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { encodeBatch, envelopeBatchType } from '../../functions/contract/envelope.ts';
import type { StorageForm } from '../../functions/contract/storage-form.ts';
import { createIngest } from '../../functions/ingest/ingest.ts';
import { createStore } from '../../functions/ingest/storing/message-store.ts';
import { createTableClient } from '../../functions/table/client.ts';
import { createTraffic, type Kind } from './traffic.ts';

const rounds = 5;
const warmUpRounds = 3;
const messagesOfRound = 20_000;
const maxRequestsOfRound = 500;

export interface Requests {
  readonly kind: Kind;
  readonly topics: number;
  readonly batch: number;
  readonly storage: StorageForm;
}

/** Microseconds a message, the median of {@link rounds}. */
export async function cpuOf({ kind, topics, batch, storage }: Requests): Promise<number> {
  const stub = fork(fileURLToPath(new URL('./stub.ts', import.meta.url)));
  const [port] = (await once(stub, 'message')) as [number];
  const client = createTableClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const store = createStore({ client, tableName: 'messages', retentionDays: 30 });
  const app = createIngest({ store });
  const next = createTraffic(kind, topics, Date.now);
  const requests = Math.min(maxRequestsOfRound, Math.ceil(messagesOfRound / batch));
  const bodies = Array.from({ length: requests }, () => {
    const encoded = encodeBatch(Array.from({ length: batch }, next));
    if (encoded.kind !== 'encoded') throw new Error('a batch is too large');
    return encoded.body;
  });
  const results: number[] = [];
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const start = process.cpuUsage();
    for (const body of bodies) await post(app, body, storage);
    const { user, system } = process.cpuUsage(start);
    if (round >= warmUpRounds) results.push((user + system) / (bodies.length * batch));
  }
  client.destroy();
  stub.disconnect();
  await once(stub, 'exit');
  return results.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

async function post(app: ReturnType<typeof createIngest>, body: Buffer, storage: StorageForm) {
  const response = await app.request(`/?storage=${storage}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: {
      'content-type': envelopeBatchType,
      'content-length': String(body.byteLength),
    },
  });
  const text = await response.text();
  if (text !== '{"batchItemFailures":[]}') throw new Error(`${response.status} ${text}`);
}
