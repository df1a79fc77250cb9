// `npm run bench:live`: what readers of live messages take from the rest: rate, CPU and memory of one `npm start` without a
// reader and with a hundred, one of which reads nothing, in turns.
import { get, type IncomingMessage } from 'node:http';
import type { MqttClient } from 'mqtt';
import { spreadOf } from '../bench/statistics.ts';
import { type BenchStack, startBenchStack } from '../bench-api/stack.ts';
import { until } from '../support/wait.ts';

const rounds = Number(process.argv[2] ?? 3);
const messages = 20_000;
const topics = 100;
const inFlight = 500;
const readers = 100;
/** Of one token; a caller may have 20. */
const readersOfCaller = 20;

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly rssMegabytes: number;
}

async function call(stack: BenchStack, path: string, body?: unknown) {
  const response = await fetch(`${stack.apiUrl}${path}`, {
    headers: { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<Record<string, unknown>>;
}

/** A reader of one topic in a hundred, as dashboards are; a slow one of all, which takes nothing from its connection. */
function read(stack: BenchStack, token: string, index: number): Promise<IncomingMessage> {
  const isSlow = index === 0;
  const filter = isSlow ? '#' : `bench/live/${index % topics}`;
  return new Promise((resolve, reject) => {
    const url = `${stack.apiUrl}/v1/messages/live?filter=${encodeURIComponent(filter)}`;
    get(url, { agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`a reader: ${response.statusCode}`));
      if (!isSlow) response.resume();
      response.on('error', () => {});
      resolve(response);
    }).on('error', reject);
  });
}

async function publish(device: MqttClient): Promise<void> {
  let next = 0;
  const publishing = Array.from({ length: inFlight }, async () => {
    for (let index = next++; index < messages; index = next++)
      await device.publishAsync(
        `bench/live/${index % topics}`,
        JSON.stringify({ celsius: 21.5, index, text: 'x'.repeat(160) }),
        { qos: 1 },
      );
  });
  await Promise.all(publishing);
}

async function measure(stack: BenchStack, device: MqttClient): Promise<Figures> {
  const before = await stack.storedMessages();
  const beforeMicros = stack.cpuMicros();
  const startedMs = performance.now();
  await publish(device);
  await until(async () => (await stack.storedMessages()) - before >= messages, {
    timeoutMs: 300_000,
    what: 'all is stored',
  });
  const tookMs = performance.now() - startedMs;
  return {
    perSecond: (messages * 1000) / tookMs,
    cpuMicros: (stack.cpuMicros() - beforeMicros) / messages,
    rssMegabytes: stack.rssMegabytes(),
  };
}

const stack = await startBenchStack({
  name: 'embedded',
  mosquitto: false,
  dynamoDbLocal: false,
});
const device = await stack.device();
const tokens = await Promise.all(
  Array.from({ length: readers / readersOfCaller }, (_, index) =>
    call(stack, '/v1/tokens', { name: `reader ${index}`, scopes: ['read:#'] }),
  ),
);
await measure(stack, device);
const without: Figures[] = [];
const withReaders: Figures[] = [];
for (let round = 0; round < rounds; round++) {
  without.push(await measure(stack, device));
  const open = await Promise.all(
    Array.from({ length: readers }, (_, index) =>
      read(stack, String(tokens[index % tokens.length]?.['token']), index),
    ),
  );
  withReaders.push(await measure(stack, device));
  for (const response of open) response.destroy();
}
await device.endAsync(true);
await stack.stop();

const row = (name: string, of: (figures: Figures) => number) => {
  const [none, hundred] = [without, withReaders].map((all) => spreadOf(all.map(of)).median);
  const ratio = (hundred ?? 0) / (none ?? 1);
  return `| ${name} | ${none?.toFixed(0)} | ${hundred?.toFixed(0)} | ${ratio.toFixed(2)} |`;
};
console.log(
  [
    `Medians of ${rounds} rounds of ${messages} messages, in turns:`,
    '',
    `| | no reader | ${readers} readers, one slow | ratio |`,
    '| --- | --- | --- | --- |',
    row('messages/s', ({ perSecond }) => perSecond),
    row('CPU of npm start, µs a message', ({ cpuMicros }) => cpuMicros),
    row('RSS of npm start, MB', ({ rssMegabytes }) => rssMegabytes),
    '',
    `RSS after each round: ${without.map((one, index) => `${one.rssMegabytes.toFixed(0)}, ${withReaders[index]?.rssMegabytes.toFixed(0)}`).join('; ')}`,
  ].join('\n'),
);
