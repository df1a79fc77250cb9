// The benchmark's child processes: how they are started, what is said to them, and that none outlives the runner.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CountingEvent, Expectation } from './counting.ts';
import type { Loaded, LoaderOptions } from './loader.ts';

/** Longest that any single step of a measurement may take. */
const stepTimeoutMs = 60_000;

type EventOf<K extends CountingEvent['kind']> = Extract<CountingEvent, { kind: K }>;

export interface Counter {
  readonly process: ChildProcess;
  /** Where it listens: the handler only. */
  listening(): Promise<number>;
  /**
   * Resolves when it counts from zero; `last` when the last message has come, `reached` when as many as it was to tell of.
   */
  expect(expectation: Expectation): Promise<{
    last: Promise<EventOf<'last'>>;
    reached: Promise<unknown> | undefined;
  }>;
  stop(): Promise<void>;
}

export function startCounter(name: 'handler' | 'receiver', options: object = {}): Counter {
  const child = startProgram(name, options);
  const next = <K extends CountingEvent['kind']>(kind: K) => eventOf(child, name, kind);
  const listening = name === 'handler' ? next('listening') : undefined;
  return {
    process: child,
    listening: async () => (await listening)?.port ?? 0,
    async expect(expectation) {
      const last = next('last');
      const expecting = next('expecting');
      const reached = expectation.tellAt === undefined ? undefined : next('reached');
      reached?.catch(() => {});
      // Where the measurement has failed, no one is left to hear of it.
      last.catch(() => {});
      child.send(expectation);
      await expecting;
      return { last, reached };
    },
    stop: () => endProcess(child),
  };
}

export async function runLoader(options: LoaderOptions): Promise<Loaded> {
  const child = startProgram('loader', options);
  const ended = once(child, 'exit');
  const [loaded] = await once(child, 'message', { signal: AbortSignal.timeout(stepTimeoutMs) });
  await ended;
  return loaded;
}

/** The usual folder of Go, looked in after PATH. */
export const goFolder = '/usr/local/go/bin';

/** The environment of this process, with one more folder at the end of PATH. */
export function environmentWith(folder?: string): NodeJS.ProcessEnv {
  if (folder === undefined) return process.env;
  return { ...process.env, PATH: `${process.env['PATH']}${delimiter}${folder}` };
}

/** The child ends with the runner, however that ends. */
export function tied(child: ChildProcess): ChildProcess {
  const end = () => child.kill('SIGKILL');
  process.on('exit', end);
  child.on('exit', () => process.off('exit', end));
  return child;
}

export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(force);
}

function startProgram(name: 'handler' | 'loader' | 'receiver', options: object): ChildProcess {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  return tied(fork(file, [JSON.stringify(options)], { execArgv: ['--import', 'tsx'] }));
}

function eventOf<K extends CountingEvent['kind']>(
  child: ChildProcess,
  name: string,
  kind: K,
): Promise<EventOf<K>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      end();
      reject(new Error(`${name}: no "${kind}" within ${stepTimeoutMs} ms`));
    }, stepTimeoutMs);
    const onMessage = (event: CountingEvent) => {
      if (event.kind !== kind) return;
      end();
      resolve(event as EventOf<K>);
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      end();
      // One that the runner stopped leaves no one waiting.
      if (code !== 0 && signal !== 'SIGTERM')
        reject(new Error(`${name} ended: ${signal ?? `code ${code}`}`));
    };
    const end = () => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
