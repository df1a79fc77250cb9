// The bridge as a child process: started from its bundle, and killed, frozen and asked as a test wants.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { BridgeConfigInput } from '../../../bridge/config/config.ts';
import { until } from '../../support/wait.ts';

/** Log lines kept of one process, for the message of a failing test. */
const maxLogLines = 2000;

export interface BridgeProcessOptions {
  readonly bundle: string;
  readonly config: BridgeConfigInput;
  /** Its working folder. */
  readonly folder: string;
  /** Endpoint of the database that its AWS SDK talks to. */
  readonly databaseEndpoint: string;
}

export interface BridgeProcess {
  readonly log: readonly string[];
  readonly running: boolean;
  /** Lines that `/readyz` gives; undefined while it does not answer. Empty: ready. */
  problems(): Promise<readonly string[] | undefined>;
  /** A value of its `/metrics`, such as `in_flight_messages`; undefined while it does not answer. */
  metric(name: string): Promise<number | undefined>;
  untilReady(timeoutMs?: number): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code, or null where it had to be killed. */
  stop(timeoutMs?: number): Promise<number | null>;
  /** Resident set size in megabytes: now, and the largest it has been. */
  rssMegabytes(): number;
  peakMegabytes(): number;
}

export function startBridgeProcess(options: BridgeProcessOptions): BridgeProcess {
  const child = spawn(process.execPath, [options.bundle], {
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CAUSEWAY_CONFIG: JSON.stringify(options.config),
      LOG_LEVEL: 'info',
      AWS_ENDPOINT_URL_DYNAMODB: options.databaseEndpoint,
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
    },
  });
  const log: string[] = [];
  let url: string | undefined;
  const keep = (line: string) => {
    if (log.push(line) > maxLogLines) log.shift();
    url ??= /"url":"(http:[^"]+)"/.exec(line)?.[1];
  };
  createInterface({ input: child.stdout }).on('line', keep);
  createInterface({ input: child.stderr }).on('line', keep);

  const running = () => child.exitCode === null && child.signalCode === null;

  /** GET of its own HTTP interface. */
  async function get(path: string): Promise<Response | undefined> {
    if (url === undefined) return undefined;
    return fetch(`${url}${path}`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  }

  async function problems(): Promise<readonly string[] | undefined> {
    const response = await get('/readyz');
    if (response === undefined) return undefined;
    const body = (await response.json()) as { problems: string[] };
    return response.status === 200 ? [] : body.problems;
  }

  function memoryMegabytes(line: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  }

  return {
    log,
    get running() {
      return running();
    },
    problems,
    async metric(name) {
      const text = await (await get('/metrics'))?.text();
      const value = new RegExp(`^causeway_${name}{[^}]*} (\\S+)$`, 'm').exec(text ?? '')?.[1];
      return value === undefined ? undefined : Number(value);
    },
    async untilReady(timeoutMs = 15_000) {
      await until(
        async () => {
          if (!running()) throw new Error(`the bridge has ended:\n${log.join('\n')}`);
          return (await problems())?.length === 0;
        },
        { timeoutMs, what: 'the bridge is ready' },
      ).catch((error: Error) => {
        throw new Error(`${error.message}\n${log.slice(-20).join('\n')}`);
      });
    },
    signal: (signal) => void child.kill(signal),
    async kill() {
      if (!running()) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async stop(timeoutMs = 15_000) {
      // Before it has started a signal just ends it, and there is nothing to settle.
      await until(() => url !== undefined || !running(), { what: 'the bridge starts' });
      if (running()) {
        child.kill('SIGTERM');
        await exitOrKill(child, timeoutMs);
      }
      return child.exitCode;
    },
    rssMegabytes: () => memoryMegabytes('VmRSS'),
    peakMegabytes: () => memoryMegabytes('VmHWM'),
  };
}

async function exitOrKill(child: ChildProcess, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await once(child, 'exit');
  clearTimeout(timer);
}
