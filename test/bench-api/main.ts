// `npm run bench:api`: how fast a command reaches a device, and how many commands and queries a second the api
// answers, on one machine where callers, api, database, bridge, broker and device share the cores.
import type { MqttClient } from 'mqtt';
import { percentile, spreadOf } from '../bench/statistics.ts';
import { until } from '../support/wait.ts';
import { createCaller, load } from './callers.ts';
import { type BenchStack, startBenchStack, type Variant } from './stack.ts';

const variants: Variant[] = [
  { name: 'embedded broker, embedded database', mosquitto: false, dynamoDbLocal: false },
  { name: 'mosquitto, DynamoDB Local', mosquitto: true, dynamoDbLocal: true },
];
const rounds = 3;
const sequentialCommands = 300;
const inFlight = 32;
const durationMs = 6000;
const burst = 10_000;
const burstTopics = 20;
const bulkSize = 500;
const storedTopics = 50;
const messagesOfTopic = 200;

/** What one round measures: a figure for each line of the table. */
type Figures = Record<string, number>;

async function measure(stack: BenchStack, device: MqttClient, prefix: string): Promise<Figures> {
  const caller = createCaller(stack, inFlight);
  const arrivals = new Map<string, number>();
  const order: string[] = [];
  device.on('message', (topic, payload) => {
    const text = payload.toString();
    arrivals.set(text, performance.now());
    if (topic.startsWith(`${prefix}/burst/`)) order.push(text);
  });
  await device.subscribeAsync(`${prefix}/#`, { qos: 1 });
  const figures: Figures = {};
  /** Measures, and notes what one of as many as `measuring` tells took of `npm start`'s CPU. */
  async function withCpu<T>(name: string, measuring: () => Promise<T>, countOf: (it: T) => number) {
    const beforeMicros = stack.cpuMicros();
    const measured = await measuring();
    const micros = stack.cpuMicros() - beforeMicros;
    figures[`${name}: CPU of npm start, ms`] = micros / 1000 / countOf(measured);
    return measured;
  }

  const toDevice: number[] = [];
  const toAnswer: number[] = [];
  for (let index = 0; index < sequentialCommands; index++) {
    const payload = `one-${index}`;
    const startedMs = performance.now();
    const { status, text, tookMs } = await caller.call('/v1/publish', {
      topic: `${prefix}/one/${index % 10}`,
      payload,
    });
    if (status !== 200) throw new Error(`${status} ${text}`);
    toAnswer.push(tookMs);
    toDevice.push((await until(() => arrivals.get(payload))) - startedMs);
  }
  for (const [name, latencies] of Object.entries({
    'to the device': toDevice,
    'to the answer': toAnswer,
  })) {
    latencies.sort((a, b) => a - b);
    figures[`one at a time, ${name}: p50 ms`] = percentile(latencies, 0.5);
    figures[`one at a time, ${name}: p99 ms`] = percentile(latencies, 0.99);
  }

  const commands = await withCpu(
    'waitFor broker, 32 callers',
    () =>
      load(
        (index) =>
          caller.call('/v1/publish', {
            topic: `${prefix}/many/${index % 100}`,
            payload: { index },
          }),
        { inFlight, durationMs },
      ),
    ({ latencies }) => latencies.length,
  );
  figures['waitFor broker, 32 callers: commands/s'] = commands.perSecond;
  figures['waitFor broker, 32 callers: p50 ms'] = percentile(commands.latencies, 0.5);
  figures['waitFor broker, 32 callers: p99 ms'] = percentile(commands.latencies, 0.99);

  const startedMs = performance.now();
  await withCpu(
    'burst of 10,000 in bulks of 500',
    async () => {
      for (let start = 0; start < burst; start += bulkSize) {
        const bulk = Array.from({ length: bulkSize }, (_, index) => ({
          topic: `${prefix}/burst/${(start + index) % burstTopics}`,
          payload: `burst-${start + index}`,
          waitFor: 'none',
        }));
        const { status, text } = await caller.call('/v1/publish/bulk', bulk);
        if (status !== 200) throw new Error(`${status} ${text}`);
      }
      await until(() => new Set(order).size === burst, {
        timeoutMs: 300_000,
        what: 'the burst arrives',
      });
    },
    () => burst,
  );
  figures['burst of 10,000 in bulks of 500: commands/s'] =
    (burst * 1000) / (performance.now() - startedMs);
  checkOrder(order);

  const page = (limit: number) => () =>
    load(
      (index) =>
        caller.call(`/v1/messages?topic=bench/stored/${index % storedTopics}&limit=${limit}`),
      { inFlight, durationMs },
    );
  const queries = ({ latencies }: { latencies: readonly number[] }) => latencies.length;
  const query = await withCpu('messages of a topic, 100 a page', page(100), queries);
  figures['messages of a topic, 100 a page: queries/s'] = query.perSecond;
  figures['messages of a topic, 100 a page: p99 ms'] = percentile(query.latencies, 0.99);
  const one = await withCpu('newest message of a topic', page(1), queries);
  figures['newest message of a topic: queries/s'] = one.perSecond;
  caller.close();
  await device.unsubscribeAsync(`${prefix}/#`);
  device.removeAllListeners('message');
  return figures;
}

/** First arrivals of each topic have to be in the order in which they were sent. */
function checkOrder(order: readonly string[]): void {
  const last = new Map<number, number>();
  for (const text of new Set(order)) {
    const number = Number(text.slice('burst-'.length));
    const topic = number % burstTopics;
    if (number < (last.get(topic) ?? -1)) throw new Error(`${text} arrived out of order`);
    last.set(topic, number);
  }
}

/** Messages for the queries, as devices publish them. */
async function store(stack: BenchStack, device: MqttClient): Promise<void> {
  for (let index = 0; index < messagesOfTopic; index++) {
    await Promise.all(
      Array.from({ length: storedTopics }, (_, topic) =>
        device.publishAsync(
          `bench/stored/${topic}`,
          JSON.stringify({ celsius: 21.5, index, text: 'x'.repeat(160) }),
          { qos: 1 },
        ),
      ),
    );
  }
  const caller = createCaller(stack, 1);
  await until(
    async () => {
      const { text } = await caller.call(
        `/v1/messages?topic=bench/stored/${storedTopics - 1}&limit=1000`,
      );
      return JSON.parse(text).messages.length === messagesOfTopic;
    },
    { timeoutMs: 120_000, what: 'the messages are stored' },
  );
  caller.close();
}

for (const variant of variants) {
  const stack = await startBenchStack(variant);
  try {
    const device = await stack.device();
    await store(stack, device);
    const results: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
      results.push(await measure(stack, device, `bench/round${round}`));
      console.error(`${variant.name}: round ${round + 1} of ${rounds}`);
    }
    await device.endAsync(true);
    console.log(
      `\n${variant.name}; median (least to most) of ${rounds} rounds, node ${process.version}`,
    );
    for (const name of Object.keys(results[0] ?? {})) {
      const { median, min, max } = spreadOf(results.map((figures) => figures[name] ?? Number.NaN));
      const digits = name.includes('CPU') ? 2 : name.endsWith('ms') ? 1 : 0;
      console.log(
        `  ${name.padEnd(46)} ${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`,
      );
    }
  } finally {
    await stack.stop();
  }
}
