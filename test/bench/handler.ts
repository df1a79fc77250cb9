// The counting HTTP handler, a process of its own: answers 200 with an empty body after a settable latency.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startCounting } from './counting.ts';
import { countMessages, nowMicros, sequencesIn } from './payload.ts';

/** Reading the publish time of every message would cost the cores that the bridge is measured on. */
const sampleEvery = 8;

const counting = startCounting();
/** Those of the present measurement, where each is counted once. */
let seen = new Set<number>();
process.on('message', () => {
  seen = new Set();
});

/** Messages in a body that have not come before. */
function newIn(body: Buffer): number {
  const before = seen.size;
  for (const sequence of sequencesIn(body)) seen.add(sequence);
  return seen.size - before;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const sentAtMicros: number[] = [];
    const { sampling, latencyMs, distinct } = counting.settings();
    const body = Buffer.concat(chunks);
    if (distinct && counting.isAway()) {
      counting.received(countMessages(body));
      response.writeHead(503, { 'content-length': 0 }).end();
      return;
    }
    const count = distinct
      ? newIn(body)
      : countMessages(body, sampling ? sampleEvery : 0, (time) => sentAtMicros.push(time));
    counting.received(count);
    const answer = () => {
      response.end();
      const storedAtMicros = nowMicros();
      counting.stored(
        count,
        sentAtMicros.map((time) => storedAtMicros - time),
      );
    };
    if (latencyMs === 0) answer();
    else setTimeout(answer, latencyMs);
  });
});
// Peers open a connection for each message in flight.
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
await once(server, 'listening');
process.send?.({ kind: 'listening', port: (server.address() as AddressInfo).port });
