// One route: its sessions in, its forwarder out. Nothing here is shared with another route.
import type { Logger } from 'pino';
import { pause } from '../../functions/contract/pause.ts';
import type { RouteChangeKind, RouteStatus } from '../../functions/contract/route-status.ts';
import type { Trace } from '../../functions/contract/trace.ts';
import { createEvaluator } from '../../functions/expression/evaluator.ts';
import type { Acquire } from '../base/leased.ts';
import type { WallClock } from '../base/wall-clock.ts';
import { publicUrl, type RouteConfig } from '../config/config.ts';
import { floorsOf, hasExpressions } from '../config/memory.ts';
import type { Broker } from '../connection/access.ts';
import type { ReplayRoute } from '../dead-letters/dead-letter-replay.ts';
import type { DeadLetterStore } from '../dead-letters/dead-letter-store.ts';
import { Forwarder } from '../forwarding/forwarder.ts';
import type { OnCall } from '../forwarding/handler-calls.ts';
import type { RequestSpans } from '../forwarding/request-spans.ts';
import { type TraceStore, Traces } from '../forwarding/traces.ts';
import type { HandlerTls } from '../handler/handler-tls.ts';
import type { RequestSigner } from '../handler/request-signer.ts';
import { createSink } from '../handler/sink.ts';
import type { Budget } from '../memory/budget.ts';
import type { Metrics, RouteMetrics } from '../metrics/metrics.ts';
import type { MemberState } from '../session/member.ts';
import type { SessionClocks } from '../session/session-clock.ts';
import type { SessionLedger } from '../session-ledger/ledger.ts';
import type { Heir } from '../session-ledger/left-session.ts';
import { ReplaySender } from './replay-sender.ts';
import { routeCure } from './route-cure.ts';
import { RouteHistory } from './route-history.ts';
import { type BacklogOf, RouteSessions } from './route-sessions.ts';
import type { RouteStates } from './route-states.ts';
import {
  problemsOf,
  type RouteBrief,
  type RouteParts,
  statePartsOf,
  waitingOf,
} from './route-status.ts';
import { RouteTester, type TestOutcome } from './route-test.ts';

export interface Route extends ReplayRoute, Heir {
  readonly filter: string;
  /** What is known of messages with this id that are not settled. */
  waitingTraces(messageId: string): Trace[];
  /** With more warnings than it has itself. */
  status(warnings?: readonly string[]): RouteStatus;
  /** Where it stands, in few words. */
  brief(): RouteBrief;
  /** What it remembers of itself. */
  readonly history: Pick<RouteHistory, 'attempts' | 'states' | 'series'>;
  /** Sends a test event to its handler, of this topic or one that the filter matches. */
  test(topic?: string): Promise<TestOutcome>;
  /** What keeps it from being ready, a line for each. */
  problems(): readonly string[];
  /**
   * Resolves when a pause holds for every bridge, or a resume or a retry for this one, with the status then; undefined
   * where it could not be stored.
   */
  change(kind: RouteChangeKind, by: string | undefined): Promise<RouteStatus | undefined>;
  /** Takes no more messages, settles what it has until `signal` aborts, disconnects, and releases its leases. */
  drain(signal: AbortSignal): Promise<void>;
}

/** Time for an answer that says what time it is, before the first connection. */
const clockCheckMs = 2000;

export interface RouteOptions {
  readonly broker: Broker;
  readonly config: RouteConfig;
  /** Absent where requests are not signed. */
  readonly signer: RequestSigner | undefined;
  /** Absent where public CAs are trusted and no certificate is shown. */
  readonly tls: HandlerTls | undefined;
  readonly deadLetters: DeadLetterStore;
  /** Absent where traces are not kept. */
  readonly traceStore: TraceStore | undefined;
  readonly states: RouteStates;
  readonly ledger: SessionLedger;
  readonly clocks: SessionClocks;
  readonly wallClock: WallClock;
  readonly backlogOf: BacklogOf | undefined;
  /** Absent where there is one bridge, and every session is its own. */
  readonly acquire: Acquire | undefined;
  /** As `acquire`, for sessions that the config no longer has. */
  readonly acquireLeft: Acquire | undefined;
  /** Of the process; it has the floors of this route. */
  readonly budget: Budget;
  readonly metrics: Metrics;
  /** Told of each request to the handler. Absent where nobody looks on. */
  readonly onCall?: OnCall | undefined;
  /** Absent where no spans are collected. */
  readonly spans?: RequestSpans | undefined;
  readonly log: Logger;
}

export function startRoute({
  broker,
  config,
  signer,
  tls,
  deadLetters,
  traceStore,
  states,
  ledger,
  clocks,
  wallClock,
  backlogOf,
  acquire,
  acquireLeft,
  budget,
  metrics,
  onCall,
  spans,
  log,
}: RouteOptions): Route {
  const sink = createSink(config, signer, undefined, config.ingest ? wallClock : undefined, tls);
  const evaluator = hasExpressions(config) ? createEvaluator(config) : undefined;
  const floors = floorsOf(config);
  const sendingMemory = budget.open(floors.sending);
  const routeMetrics: RouteMetrics = metrics.route(config.name, () => ({
    inFlightMessages: sessions.unsettled,
    inFlightRequests: forwarder.inFlightRequests,
    concurrencyLimit: forwarder.concurrencyLimit,
    activeSessions: sessions.states.filter(({ kind }) => kind === 'active').length,
    failingSessions: sessions.states.filter(isFailing).length,
    // Nobody asks the handler of a route that is paused.
    holding: gate.isOpen && forwarder.holding !== undefined,
    holdingSeconds: gate.isOpen ? forwarder.holdingMs / 1000 : 0,
    paused: gate.state?.kind === 'paused',
    disabled: gate.state?.kind === 'disabled',
    noisyTopic: forwarder.noisyTopic !== undefined,
  }));
  const { counters } = routeMetrics;
  const gate = states.gate(config.name);
  const traces = new Traces(config.name, traceStore, undefined, spans);
  const forwarder = new Forwarder({
    config,
    sink,
    evaluator,
    gate,
    deadLetters,
    memory: sendingMemory,
    metrics: routeMetrics,
    traces,
    onCall(messages, call) {
      history.onCall(messages, call);
      onCall?.(messages, call);
    },
    spans,
    log,
    isStalled: () => sessions.isStalled,
    unacknowledged: () => sessions.unacknowledged,
  });

  const sessions = new RouteSessions({
    broker,
    config,
    ledger,
    clocks,
    acquire,
    acquireLeft,
    memory: budget.open(floors.window),
    metrics: routeMetrics,
    forwarder,
    beforeConnecting: checkClock,
    readStates: () => states.refresh(),
    log,
  });
  const replays = new ReplaySender({
    config,
    sink,
    evaluator,
    gate,
    memory: sendingMemory,
    spans,
  });

  const partsOf = (): RouteParts => ({
    stored: gate.state,
    unreadReason: states.problem(config.name),
    sessions: sessions.states,
    holding: forwarder.holding,
  });

  function status(more: readonly string[] = []): RouteStatus {
    const parts = partsOf();
    const warnings = [...sessions.warnings, ...more];
    const { lastError, noisyTopic } = forwarder;
    const state = statePartsOf(parts);
    const cure = routeCure({ ...state, lastError });
    return {
      name: config.name,
      filter: config.filter,
      handler: new URL(config.url).host,
      ...state,
      ...(cure !== undefined && { cure }),
      ...waitingOf({
        isHolding: gate.isOpen && parts.holding !== undefined,
        holdingMs: forwarder.holdingMs,
        ...forwarder.holdTries,
        oldestMs: sessions.oldestWaitingMs,
      }),
      sessions: sessions.statuses,
      ...(warnings.length > 0 && { warnings }),
      unsettledMessages: sessions.unsettled,
      ...(backlogOf !== undefined && { backlogMessages: sessions.backlog(backlogOf) }),
      requestsInFlight: forwarder.inFlightRequests,
      concurrencyLimit: forwarder.concurrencyLimit,
      deliveredPerSecond: forwarder.deliveredPerSecond,
      receivedMessages: counters.received,
      deliveredMessages: counters.delivered,
      retriedMessages: counters.retried,
      ...(config.where !== undefined && { filteredMessages: counters.filtered }),
      quarantinedMessages: counters.quarantined,
      ...(noisyTopic !== undefined && { noisyTopic }),
      ...(lastError !== undefined && { lastError }),
    };
  }

  const history = new RouteHistory({
    route: config.name,
    sample: () => ({
      counters,
      unsettled: sessions.unsettled,
      backlog: backlogOf && sessions.backlog(backlogOf),
      inFlight: forwarder.inFlightRequests,
      limit: forwarder.concurrencyLimit,
    }),
    state: () => statePartsOf(partsOf()),
  });

  /** Where no table has said what time it is, our own ingest does, with its answer to an empty batch. */
  async function checkClock(signal: AbortSignal): Promise<void> {
    if (!config.ingest || wallClock.isChecked) return;
    const ask = async () => {
      await gate.opened(signal);
      const built = sink.request([]);
      if (gate.isOpen && built.kind === 'request') await sink.post(built.request, () => new Set());
    };
    await Promise.race([ask(), pause(clockCheckMs, undefined, { ref: false })]);
  }

  const tester = new RouteTester({
    config,
    sink,
    source: `${publicUrl(broker.url)}/${sessions.clientIds[0] ?? config.name}`,
  });

  return {
    config,
    filter: config.filter,
    drainSession: (session) => sessions.drain(session),
    send: (messages) => replays.send(messages),
    deliveredMessages: () => counters.delivered,
    waitingTraces: (messageId) => traces.waiting(messageId),
    status,
    history,
    test: (topic) => tester.test(topic),
    brief: () => ({
      name: config.name,
      ...statePartsOf(partsOf()),
      holdingMs: forwarder.holdingMs,
      lastError: forwarder.lastError,
      quarantinedMessages: counters.quarantined,
      lostSessions: sessions.lost,
    }),
    problems: () => problemsOf(config.name, partsOf()),
    async change(kind, by) {
      if (!(await states.change(config.name, { kind, by }))) return undefined;
      // Another bridge may have a session of it, or replay to its handler, and has to read of it first.
      if (kind === 'pause' && acquire !== undefined) await pause(states.spreadMs);
      return status();
    },
    async drain(signal) {
      history.stop();
      sessions.stopReading();
      await forwarder.drain(signal);
      await replays.drain(signal);
      await sessions.close();
      sink.close();
      await evaluator?.close();
    },
  };
}

function isFailing({ kind }: MemberState): boolean {
  return kind === 'disconnected' || kind === 'subscription refused';
}
