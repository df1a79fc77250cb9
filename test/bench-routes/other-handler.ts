// The handler of the other route: fast, or slow or down until it recovers; it checks that nothing is missing and
// that the messages of each topic come in order.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour = 'fast' | 'slow' | 'down';

export interface OtherHandler {
  readonly url: string;
  recover(): void;
  /** Messages that were taken, each counted once. */
  received(): number;
  outOfOrder(): number;
  stop(): Promise<void>;
}

interface SentEvent {
  readonly subject: string;
  readonly data: { readonly sequence: number };
}

const fastMs = 5;
const slowMs = 2000;

export async function startOtherHandler(behaviour: Behaviour): Promise<OtherHandler> {
  let recovered = false;
  let outOfOrder = 0;
  const seen = new Set<number>();
  const lastOfTopic = new Map<string, number>();

  function take(body: string): void {
    for (const { subject, data } of JSON.parse(body) as SentEvent[]) {
      const { sequence } = data;
      if (sequence < (lastOfTopic.get(subject) ?? -1)) outOfOrder++;
      lastOfTopic.set(subject, sequence);
      seen.add(sequence);
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!recovered && behaviour === 'down') {
        response.writeHead(503).end();
        return;
      }
      take(Buffer.concat(chunks).toString());
      setTimeout(() => response.end(), recovered || behaviour === 'fast' ? fastMs : slowMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    recover() {
      recovered = true;
    },
    received: () => seen.size,
    outOfOrder: () => outOfOrder,
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
