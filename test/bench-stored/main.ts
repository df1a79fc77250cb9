// `npm run bench:stored`: how many messages a second one `npm start` stores, and what CPU each takes, with the embedded broker
// and with a mosquitto in front. The load generator shares the machine's cores with it.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { payloadBytes, topicCount } from '../bench/payload.ts';
import { runLoader } from '../bench/programs.ts';
import { spreadOf } from '../bench/statistics.ts';
import { type BenchStack, startBenchStack } from '../bench-api/stack.ts';
import { until } from '../support/wait.ts';

const brokers = ['embedded', 'mosquitto'];
/** How often `npm start` is asked whether it has stored the last message. Each question takes CPU of what is measured. */
const pollMs = 50;

const { values } = parseArgs({
  options: {
    broker: { type: 'string', multiple: true, default: brokers },
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '200000' },
    /** Messages a second; default as fast as the broker acknowledges. */
    rate: { type: 'string' },
    /** Folder for CPU profiles of `npm start`; profiling slows the rounds down. */
    profile: { type: 'string' },
  },
});
const unknown = values.broker.find((name) => !brokers.includes(name));
if (unknown !== undefined) throw new Error(`--broker is ${brokers.join(' or ')}, not ${unknown}`);
const rounds = Number(values.rounds);
const messages = Number(values.messages);

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly rssMegabytes: number;
}

async function measure(stack: BenchStack): Promise<Figures> {
  const before = await stack.storedMessages();
  const beforeMicros = stack.cpuMicros();
  const { seconds } = await runLoader({
    brokerPort: stack.brokerPort,
    messages,
    ...(values.rate !== undefined && { messagesPerSecond: Number(values.rate) }),
  });
  // Without the start of the load generator.
  const startedMs = performance.now() - seconds * 1000;
  await until(
    async () => {
      const stored = (await stack.storedMessages()) - before;
      return stored >= messages || delay(pollMs, false);
    },
    { timeoutMs: 300_000, what: 'all is stored' },
  );
  const tookMs = performance.now() - startedMs;
  return {
    perSecond: (messages * 1000) / tookMs,
    cpuMicros: (stack.cpuMicros() - beforeMicros) / messages,
    rssMegabytes: stack.rssMegabytes(),
  };
}

function rowOf(broker: string, figures: readonly Figures[]): string {
  const cell = (of: (one: Figures) => number, digits = 0) => {
    const { median, min, max } = spreadOf(figures.map(of));
    return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
  };
  return `| ${broker} | ${cell(({ perSecond }) => perSecond)} | ${cell(({ cpuMicros }) => cpuMicros, 1)} | ${cell(({ rssMegabytes }) => rssMegabytes)} |`;
}

const rows: string[] = [];
for (const broker of values.broker) {
  const stack = await startBenchStack({
    name: broker,
    mosquitto: broker === 'mosquitto',
    dynamoDbLocal: false,
    profileFolder: values.profile,
  });
  try {
    await measure(stack);
    const figures: Figures[] = [];
    for (let round = 0; round < rounds; round++) figures.push(await measure(stack));
    rows.push(rowOf(broker, figures));
  } finally {
    await stack.stop();
  }
}
console.log(
  [
    `${messages} messages of ${payloadBytes} bytes over ${topicCount} topics; medians of ${rounds} rounds (least–greatest), node ${process.version}`,
    '',
    '| broker | msg/s stored | CPU of npm start, µs a message | RSS, MB |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n'),
);
