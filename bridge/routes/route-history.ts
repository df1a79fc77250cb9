// What a route remembers of itself: its curves, its last requests, and the states that it has had. A look a second, in
// memory alone.
import {
  maxAttempts,
  maxStates,
  type RouteAttempt,
  type RouteSeries as RouteSeriesAnswer,
  type RouteStateChange,
} from '../../functions/contract/route-history.ts';
import type { OnCall } from '../forwarding/handler-calls.ts';
import { attemptOf } from '../forwarding/traces.ts';
import { RouteSeries, type Sample } from '../metrics/route-series.ts';
import type { StateParts } from './route-status.ts';
import { StateHistory } from './state-history.ts';

const lookEveryMs = 1000;
/** Characters of a topic and a reason. */
const maxTold = 256;

export interface RouteHistoryOptions {
  readonly route: string;
  readonly sample: () => Sample;
  readonly state: () => StateParts;
}

export class RouteHistory {
  readonly #options: RouteHistoryOptions;
  readonly #series = new RouteSeries();
  readonly #states = new StateHistory(maxStates);
  /** A ring; the oldest is overwritten. */
  readonly #attempts: RouteAttempt[] = [];
  #tried = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(options: RouteHistoryOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
  }

  readonly onCall: OnCall = (messages, call) => {
    if (call.isSent) this.#series.request(messages.length, call.latencyMs);
    const [first] = messages;
    if (first === undefined) return;
    this.#attempts[this.#tried++ % maxAttempts] = {
      ...attemptOf(messages, call),
      topic: first.topic.slice(0, maxTold),
      messageId: first.id,
    };
  };

  look(): void {
    this.#series.look(this.#options.sample());
    this.#states.look(this.#options.state());
  }

  /** The newest first. */
  attempts(): RouteAttempt[] {
    const next = this.#tried % maxAttempts;
    return [...this.#attempts.slice(next), ...this.#attempts.slice(0, next)].reverse();
  }

  /** The newest first. */
  states(): readonly RouteStateChange[] {
    this.#states.look(this.#options.state());
    return this.#states.all();
  }

  series(fromMs: number, toMs: number, stepSeconds: number): RouteSeriesAnswer {
    this.#series.look(this.#options.sample());
    return {
      route: this.#options.route,
      stepSeconds,
      since: new Date(this.#series.sinceMs).toISOString(),
      points: this.#series.points(fromMs, toMs, stepSeconds),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
