// What is measured: something that takes messages from a broker, and either posts them to a handler or counts them itself.
import type { ChildProcess } from 'node:child_process';
import type { Counter } from './programs.ts';

export interface Target {
  readonly brokerUrl: string;
  readonly handlerUrl: string;
}

export interface RunningSubject {
  readonly process: ChildProcess;
  /** Set where it counts itself, without a handler; it connects once it knows what to expect. */
  readonly counter?: Counter;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** For the report, where it is not of this project: its version, and what one has to know of its settings. */
  readonly note?: string;
  readonly clientId: string;
  readonly acknowledges: 'when stored' | 'on receipt' | 'on receipt, no HTTP';
  /** Messages of one drain; fewer for the slow ones, so that a run takes seconds. */
  readonly drainMessages: number;
  /** Handler latencies that make sense for it. */
  readonly handlerLatenciesMs: readonly number[];
  /** Set where each message is a request: so many are in flight at most, and the handler's latency bounds the rate. */
  readonly requestsAtOnce?: number;
  start(target: Target): RunningSubject;
}
