// The broker of one measurement: a fresh mosquitto without its own limits, that says who has subscribed.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startMosquitto, temporaryFolder } from '../support/brokers.ts';
import { until } from '../support/wait.ts';
import { topicFilter } from './payload.ts';
import { tied } from './programs.ts';

export interface BenchBroker {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the `count`th SUBSCRIBE to the benchmark's topics has been taken. */
  subscribed(count: number): Promise<void>;
  /** Resolves when that client has connected for the `count`th time. */
  connected(clientId: string, count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startBenchBroker(): Promise<BenchBroker> {
  const folder = temporaryFolder('bench-broker');
  const logFile = join(folder, 'mosquitto.log');
  const broker = await startMosquitto({
    folder,
    settings: [
      'max_inflight_messages 0',
      'persistence false',
      `log_dest file ${logFile}`,
      'log_type subscribe',
      'log_type notice',
    ],
  });
  tied(broker.process);
  const untilLogged = async (text: string, count: number) => {
    await until(() => readFileSync(logFile, 'utf8').split(text).length > count, {
      timeoutMs: 60_000,
      what: `"${text.trim()}" ${count} times in the broker's log`,
    });
  };
  return {
    url: broker.url,
    port: broker.port,
    pid: broker.process.pid ?? 0,
    // A subscription is logged as client id, QoS and filter; a connection ends in `as <client id> (p5, …)`.
    subscribed: (count) => untilLogged(` ${topicFilter}`, count),
    connected: (clientId, count) => untilLogged(` as ${clientId} (`, count),
    async stop() {
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
