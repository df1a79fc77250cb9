// `npm run bench:routes`: whether a slow route disturbs a fast one. The same messages go to both; the fast route is
// measured alone, beside a route as fast, beside a handler that takes two seconds a request, and beside one that is
// down, in turns. That all messages are carried twice costs the machine something: the second is what to compare with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBenchBroker } from '../bench/broker.ts';
import { runLoader, startCounter } from '../bench/programs.ts';
import { percentile, spreadOf } from '../bench/statistics.ts';
import { hasMosquitto, needsMosquitto } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { buildBridge, type RouteUrls, startRoutes } from './bridge.ts';
import { type Behaviour, startOtherHandler } from './other-handler.ts';

const messagesPerSecond = 5000;
const seconds = 8;
const rounds = 3;
const behaviours: readonly (Behaviour | 'none')[] = ['none', 'fast', 'slow', 'down'];

interface Figures {
  /** Of the fast route, from the first publish to the last message at its handler. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the other route: how long it took to catch up once its handler was fast, and what came out of order or not. */
  readonly caughtUpSeconds: number;
  readonly missing: number;
  readonly outOfOrder: number;
}

async function measure(bridgeFile: string, behaviour: Behaviour | 'none'): Promise<Figures> {
  const broker = await startBenchBroker();
  const fast = startCounter('handler');
  const other = behaviour === 'none' ? undefined : await startOtherHandler(behaviour);
  const urls: RouteUrls = {
    fast: `http://127.0.0.1:${await fast.listening()}/ingest`,
    ...(other !== undefined && { other: other.url }),
  };
  const bridge = startRoutes(bridgeFile, broker.url, urls);
  try {
    await broker.subscribed(other === undefined ? 1 : 2);
    const messages = messagesPerSecond * seconds;
    const { last } = await fast.expect({ messages, latencyMs: 5, sampling: true });
    const { seconds: publishing } = await runLoader({
      brokerPort: broker.port,
      messages,
      messagesPerSecond,
    });
    const publishedMs = performance.now();
    const sorted = [...(await last).latenciesMicros].sort((a, b) => a - b);
    const took = publishing + (performance.now() - publishedMs) / 1000;
    const recoveredMs = performance.now();
    other?.recover();
    await until(() => other === undefined || other.received() >= messages, {
      timeoutMs: 120_000,
      what: 'the other route has caught up',
    });
    return {
      perSecond: messages / took,
      p50Ms: percentile(sorted, 0.5) / 1000,
      p99Ms: percentile(sorted, 0.99) / 1000,
      caughtUpSeconds: (performance.now() - recoveredMs) / 1000,
      missing: other === undefined ? 0 : messages - other.received(),
      outOfOrder: other?.outOfOrder() ?? 0,
    };
  } finally {
    await bridge.stop();
    await other?.stop();
    await fast.stop();
    await broker.stop();
  }
}

if (!hasMosquitto) {
  console.error(`The benchmark ${needsMosquitto}`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'causeway-bench-routes-'));
try {
  const bridgeFile = await buildBridge(folder);
  const results = new Map<string, Figures[]>();
  for (let round = 1; round <= rounds; round++) {
    for (const behaviour of behaviours) {
      const figures = await measure(bridgeFile, behaviour);
      results.set(behaviour, [...(results.get(behaviour) ?? []), figures]);
      console.error(`round ${round} of ${rounds}, beside ${behaviour}: ${JSON.stringify(figures)}`);
    }
  }
  console.log(
    `\nFast route at ${messagesPerSecond} msg/s, its handler takes 5 ms; median (least to most) of ${rounds}`,
  );
  for (const [behaviour, all] of results) {
    const of = (name: keyof Figures, digits: number) => {
      const { median, min, max } = spreadOf(all.map((figures) => figures[name]));
      return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
    };
    console.log(
      `  beside ${behaviour.padEnd(5)} ${of('perSecond', 0)} msg/s, p50 ${of('p50Ms', 1)} ms, p99 ${of('p99Ms', 1)} ms` +
        (behaviour === 'none'
          ? ''
          : `; the other caught up in ${of('caughtUpSeconds', 1)} s, ${of('missing', 0)} missing, ${of('outOfOrder', 0)} out of order`),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
