// The two measurements: draining a backlog, and the time from publish to stored at a steady rate.
import type { ChildProcess } from 'node:child_process';
import { type BenchBroker, startBenchBroker } from './broker.ts';
import { nowMicros } from './payload.ts';
import { cpuMicros, machineBusyMicros, peakResidentMB } from './process-usage.ts';
import { type Counter, endProcess, runLoader, startCounter } from './programs.ts';
import { percentile } from './statistics.ts';
import type { RunningSubject, Subject, Target } from './subject.ts';

/** In both: `foreignCores` is how many cores were busy with anything else, which tells a disturbed run. */
export interface DrainFigures {
  readonly messages: number;
  /** Acknowledged to the broker, and never seen by the handler. */
  readonly lost: number;
  /**
   * From the broker taking the subject's connection to the last message at the handler. Not from the first one
   * there: some take the whole backlog in before they post anything.
   */
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Of the subject's process, all threads, between the same two moments. */
  readonly cpuMicrosPerMessage: number;
  /** Of the subject's process, from its start. */
  readonly peakResidentMB: number;
  readonly foreignCores: number;
}

/** What is published while the time to stored is measured. */
export interface Pace {
  readonly messagesPerSecond: number;
  readonly topics: number;
}

export interface LatencyFigures {
  /** As published, which may be less than asked for. */
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly foreignCores: number;
}

/** Messages of so many that it acknowledged, and the handler never took. */
export interface LossFigures {
  readonly messages: number;
  readonly lostOnKill: number;
  readonly lostInOutage: number;
}

interface Bench {
  readonly target: Target;
  readonly brokerPort: number;
  readonly handler: Counter;
  /** Starts to watch; answers with a function that says how many cores others have taken since. */
  readonly watchForeignCores: (subject: RunningSubject) => () => number;
  /** Resolves when the subject has subscribed for the `count`th time. */
  readonly subscribed: BenchBroker['subscribed'];
  readonly connected: BenchBroker['connected'];
}

/** A fresh broker and handler for each measurement: nothing of one is left in the next. */
async function withBench<T>(measure: (bench: Bench) => Promise<T>): Promise<T> {
  const broker = await startBenchBroker();
  const handler = startCounter('handler');
  try {
    const handlerUrl = `http://127.0.0.1:${await handler.listening()}/ingest`;
    return await measure({
      target: { brokerUrl: broker.url, handlerUrl },
      brokerPort: broker.port,
      handler,
      watchForeignCores: (subject) =>
        watchForeignCores([broker.pid, pidOf(handler.process), pidOf(subject.process)]),
      subscribed: broker.subscribed,
      connected: broker.connected,
    });
  } finally {
    await handler.stop();
    await broker.stop();
  }
}

/**
 * Starts the subject once, so that the broker has its session; stops it, lets the backlog build up, and starts
 * it again.
 */
export function measureDrain(
  subject: Subject,
  handlerLatencyMs: number,
  messages = subject.drainMessages,
): Promise<DrainFigures> {
  return withBench(async ({ target, brokerPort, handler, connected, ...bench }) => {
    const { watchForeignCores, subscribed } = bench;
    const session = subject.start(target);
    await session.counter?.expect({ messages: 0, latencyMs: 0, sampling: false });
    await subscribed(1);
    await session.stop();
    await runLoader({ brokerPort, messages });

    const expectation = { messages, latencyMs: handlerLatencyMs, sampling: false };
    const whenHandled = await handler.expect(expectation);
    const running = subject.start(target);
    try {
      const { last } = (await running.counter?.expect(expectation)) ?? whenHandled;
      await connected(subject.clientId, 2);
      const startMicros = nowMicros();
      const foreignCores = watchForeignCores(running);
      const pid = pidOf(running.process);
      const beforeMicros = cpuMicros(pid);
      const { lastMicros, messages: arrived } = await last;
      const seconds = (lastMicros - startMicros) / 1_000_000;
      return {
        messages,
        lost: messages - arrived,
        seconds,
        messagesPerSecond: arrived / seconds,
        cpuMicrosPerMessage: (cpuMicros(pid) - beforeMicros) / arrived,
        peakResidentMB: peakResidentMB(pid),
        foreignCores: foreignCores(),
      };
    } finally {
      await running.stop();
    }
  });
}

/** How long the handler is away in the measurement of an outage. */
export const outageMs = 3000;

/** Who has acknowledged nothing may wait so long before it asks again: the longest wait of a route, and some. */
const retryWaitMs = 35_000;

/**
 * A backlog is delivered to a handler of 20 ms, each message counted once: first the subject is killed (SIGKILL) when a tenth is
 * stored, and started again; then the handler answers 503 for three seconds instead.
 */
export async function measureLoss(subject: Subject, messages: number): Promise<LossFigures> {
  const expectation = {
    messages,
    latencyMs: 20,
    sampling: false,
    distinct: true,
    ...(subject.acknowledges === 'when stored' && { silenceMs: retryWaitMs }),
  };
  const lost = (change: { tellAt: number } | { awayMs: number }) =>
    withBench(async ({ target, brokerPort, handler, subscribed }) => {
      const session = subject.start(target);
      await subscribed(1);
      await session.stop();
      await runLoader({ brokerPort, messages });
      const { last, reached } = await handler.expect({ ...expectation, ...change });
      let running = subject.start(target);
      try {
        if (reached !== undefined) {
          await reached;
          await endProcess(running.process, 'SIGKILL');
          running = subject.start(target);
        }
        return messages - (await last).messages;
      } finally {
        await running.stop();
      }
    });
  const lostOnKill = await lost({ tellAt: messages / 10 });
  return { messages, lostOnKill, lostInOutage: await lost({ awayMs: outageMs }) };
}

/** Publish to stored, the handler's own latency included, after a warm-up at the same rate. */
export function measureLatency(
  subject: Subject,
  handlerLatencyMs: number,
  { messagesPerSecond, topics }: Pace,
  seconds: number,
): Promise<LatencyFigures> {
  return withBench(async ({ target, brokerPort, handler, watchForeignCores, subscribed }) => {
    const running = subject.start(target);
    const publish = async (forSeconds: number) => {
      // Whole hundreds, or the last join of a peer would wait for its timeout.
      const messages = Math.ceil((messagesPerSecond * forSeconds) / 100) * 100;
      const { last } = await handler.expect({
        messages,
        latencyMs: handlerLatencyMs,
        sampling: true,
      });
      const loaded = await runLoader({ brokerPort, messages, messagesPerSecond, topics });
      return { loaded, latenciesMicros: (await last).latenciesMicros };
    };
    try {
      await subscribed(1);
      await publish(seconds / 3);
      const foreignCores = watchForeignCores(running);
      const { loaded, latenciesMicros } = await publish(seconds);
      const sorted = latenciesMicros.map((micros) => micros / 1000).sort((a, b) => a - b);
      return {
        messagesPerSecond: loaded.published / loaded.seconds,
        p50Ms: percentile(sorted, 0.5),
        p99Ms: percentile(sorted, 0.99),
        maxMs: percentile(sorted, 1),
        foreignCores: foreignCores(),
      };
    } finally {
      await running.stop();
    }
  });
}

function watchForeignCores(pids: readonly number[]): () => number {
  // The loader has ended by then, and counts as an ended child of this process.
  const foreignMicros = () =>
    machineBusyMicros() -
    pids.reduce((sum, pid) => sum + cpuMicros(pid), cpuMicros(process.pid, true));
  const startMicros = nowMicros();
  const before = foreignMicros();
  return () => Math.max(0, (foreignMicros() - before) / (nowMicros() - startMicros));
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the process did not start');
  return pid;
}
