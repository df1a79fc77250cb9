// One route: its sessions in, its forwarder out. Nothing here is shared with another route.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import type { RouteChangeKind, RouteStatus } from '../../functions/contract/route-status.ts';
import type { Trace } from '../../functions/contract/trace.ts';
import { createEvaluator } from '../../functions/expression/evaluator.ts';
import { untilAborted } from '../base/aborted.ts';
import type { Delivery } from '../base/delivery.ts';
import type { Acquire } from '../base/leased.ts';
import type { WallClock } from '../base/wall-clock.ts';
import { publicUrl, type RouteConfig } from '../config/config.ts';
import { floorsOf, hasExpressions, largestPacketBytes } from '../config/memory.ts';
import { profileOf } from '../config/profiles/profiles.ts';
import type { Broker } from '../connection/access.ts';
import type { ReplayRoute, ReplayVerdict } from '../dead-letters/dead-letter-replay.ts';
import type { DeadLetterStore } from '../dead-letters/dead-letter-store.ts';
import { sendEvaluated } from '../forwarding/evaluated-replay.ts';
import { Forwarder } from '../forwarding/forwarder.ts';
import type { OnCall } from '../forwarding/handler-calls.ts';
import type { RequestSpans } from '../forwarding/request-spans.ts';
import { type TraceStore, Traces } from '../forwarding/traces.ts';
import type { HandlerTls } from '../handler/handler-tls.ts';
import type { RequestSigner } from '../handler/request-signer.ts';
import { createSink } from '../handler/sink.ts';
import type { Budget } from '../memory/budget.ts';
import type { Metrics, RouteMetrics } from '../metrics/metrics.ts';
import { type Member, type MemberState, startMember } from '../session/member.ts';
import type { SessionClocks } from '../session/session-clock.ts';
import type { Subscriber } from '../session/subscriber.ts';
import { ForeignMessages } from '../session-ledger/foreign-messages.ts';
import { KeptSubscription } from '../session-ledger/kept-subscription.ts';
import type { SessionLedger } from '../session-ledger/ledger.ts';
import type { Heir, TakenOver } from '../session-ledger/left-session.ts';
import { routeCure } from './route-cure.ts';
import { RouteHistory } from './route-history.ts';
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

/** How many messages the broker keeps for a client id, where it tells: undefined where it knows none. */
export type BacklogOf = (clientId: string) => number | undefined;

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
  const largestBytes = largestPacketBytes(config);
  const windowMemory = budget.open(floors.window);
  const sendingMemory = budget.open(floors.sending);
  const routeMetrics: RouteMetrics = metrics.route(config.name, () => ({
    inFlightMessages: unsettled(),
    inFlightRequests: forwarder.inFlightRequests,
    concurrencyLimit: forwarder.concurrencyLimit,
    activeSessions: members.filter((member) => member.state().kind === 'active').length,
    failingSessions: members.filter((member) => isFailing(member.state())).length,
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
    isStalled: () =>
      members.some((member) => member.isStalled()) ||
      (drained.size > 0 && [...drained].some((member) => member.isStalled())),
    unacknowledged: () =>
      [...members, ...drained].reduce((sum, member) => sum + member.unacknowledged(), 0),
  });

  /** The bridge that takes a session over has to know whether the route has been paused meanwhile. */
  async function takeOver(acquireLease: Acquire, ...waiting: Parameters<Acquire>) {
    const lease = await acquireLease(...waiting);
    if (lease !== undefined) await states.refresh();
    return lease?.lost.aborted ? undefined : lease;
  }

  const partsOf = (): RouteParts => ({
    stored: gate.state,
    unreadReason: states.problem(config.name),
    sessions: members.map((member) => member.state()),
    holding: forwarder.holding,
  });

  function status(more: readonly string[] = []): RouteStatus {
    const parts = partsOf();
    const warnings = [...members.flatMap((member) => member.warnings()), ...more];
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
        oldestMs: oldestWaitingMs(),
      }),
      sessions: parts.sessions.map((session, index) => ({
        state: session.kind,
        ...('reason' in session && { reason: session.reason }),
        ...orderOf(sessions[index]),
      })),
      ...(warnings.length > 0 && { warnings }),
      unsettledMessages: unsettled(),
      ...(backlogOf !== undefined && { backlogMessages: backlog(backlogOf) }),
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

  const backlog = (of: BacklogOf) =>
    clientIds.reduce((sum, clientId) => sum + (of(clientId) ?? 0), 0);

  /** How long the oldest message waits that is not acknowledged; undefined where there is none. */
  function oldestWaitingMs(): number | undefined {
    const arrived = [...members, ...drained].flatMap((member) => member.oldestArrivedMs() ?? []);
    return arrived.length === 0 ? undefined : performance.now() - Math.min(...arrived);
  }

  function orderOf(session: { readonly lease: string } | undefined) {
    const step = session && clocks.of(session.lease).lastStep;
    return step && { orderBrokenUntil: step.brokenUntil };
  }

  const history = new RouteHistory({
    route: config.name,
    sample: () => ({
      counters,
      unsettled: unsettled(),
      backlog: backlogOf && backlog(backlogOf),
      inFlight: forwarder.inFlightRequests,
      limit: forwarder.concurrencyLimit,
    }),
    state: () => statePartsOf(partsOf()),
  });

  const foreign = new ForeignMessages({ filter: config.filter, counters, log });
  function countReceived({ message }: Pick<Delivery, 'message'>): void {
    counters.received++;
    if (message.possibleDuplicate) counters.possibleDuplicates++;
  }

  const deliverTo = (subscriber: Subscriber) => (delivery: Delivery) => {
    countReceived(delivery);
    const owner = subscriber.ownerOf(delivery.message.topic);
    if (owner === 'own' || foreign.admits(delivery, owner)) forwarder.add(delivery);
  };

  /** Where no table has said what time it is, our own ingest does, with its answer to an empty batch. */
  async function checkClock(signal: AbortSignal): Promise<void> {
    if (!config.ingest || wallClock.isChecked) return;
    const ask = async () => {
      await gate.opened(signal);
      const built = sink.request([]);
      if (gate.isOpen && built.kind === 'request') await sink.post(built.request, () => new Set());
    };
    await Promise.race([ask(), delay(clockCheckMs, undefined, { ref: false })]);
  }

  function startSession({ clientId, lease, openSubscriber }: TakenOver, take: Acquire | undefined) {
    return startMember(
      {
        broker,
        clientId,
        window: config.window,
        maxWindowBytes: config.maxWindowBytes,
        clock: clocks.of(lease),
        // Without a session all is lost that is not acknowledged when the connection ends.
        unacknowledgedMs: broker.cleanSession
          ? undefined
          : profileOf(broker.profile).limits.unacknowledgedMs,
        memory: windowMemory,
        lingerMs: config.maxLingerMs,
        log,
        openSubscriber: async (signal) => {
          await checkClock(signal);
          return openSubscriber(signal);
        },
        deliverTo,
        large: {
          admit: (packetBytes) => (packetBytes > largestBytes ? 'stream' : 'buffer'),
          onDelivery(delivery) {
            countReceived(delivery);
            forwarder.addStreamed(delivery);
          },
        },
        onStalled: () => forwarder.stalled(),
        onQoS0Dropped() {
          counters.droppedQoS0++;
        },
      },
      take && ((_, ...rest) => takeOver(take, lease, ...rest)),
      log,
    );
  }

  const sessions = ledger.wanted.filter(({ route }) => route === config.name);
  const clientIds = sessions.map(({ clientId }) => clientId);
  let lostSessions = 0;
  const onSessionLost = () => {
    lostSessions++;
    routeMetrics.sessionLost();
  };
  const members = sessions.map((wanted) => {
    const options = { ledger, wanted, broker, log, onSessionLost };
    const openSubscriber = (signal: AbortSignal) => KeptSubscription.open(options, signal);
    return startSession({ ...wanted, openSubscriber }, acquire);
  });
  /** Sessions that the config no longer has, while they are drained into this route. */
  const drained = new Set<Member>();
  const unsettled = () =>
    [...members, ...drained].reduce((sum, member) => sum + member.unsettled(), 0);

  /** Messages that somebody sends again, past the lanes: whatever is said to them changes nothing for the route. */
  async function sendAgain(messages: readonly Message[]): Promise<ReplayVerdict> {
    if (!gate.isOpen) return notSent(gate.state?.kind ?? 'unknown');
    const built = sink.request(messages);
    if (built.kind === 'unsendable') return { kind: 'rejected', reason: built.reason };
    const bytes = built.request.body.byteLength;
    if (!sendingMemory.fits(bytes))
      return sendingMemory.room(bytes).then(() => sendAgain(messages));
    sendingMemory.take(bytes);
    const ids = () => new Set(messages.map(({ id }) => id));
    const span = spans?.beginAgain(messages, built.request);
    const attempt = await sink
      .post(span?.request ?? built.request, ids)
      .finally(() => sendingMemory.give(bytes));
    span?.end(attempt);
    const { verdict } = attempt;
    return verdict.kind === 'gone' ? { kind: 'rejected', reason: verdict.reason } : verdict;
  }

  const tester = new RouteTester({
    config,
    sink,
    source: `${publicUrl(broker.url)}/${clientIds[0] ?? config.name}`,
  });
  /** What is being sent again. */
  const sendingAgain = new Set<Promise<unknown>>();

  return {
    config,
    filter: config.filter,
    drainSession(session) {
      const member = startSession(session, acquireLeft);
      drained.add(member);
      return {
        ...member,
        async close() {
          await member.close();
          drained.delete(member);
        },
      };
    },
    async send(messages) {
      const sending =
        evaluator === undefined
          ? sendAgain(messages)
          : sendEvaluated(messages, {
              evaluator,
              maxBytes: config.maxBatchBytes,
              send: sendAgain,
            });
      sendingAgain.add(sending);
      try {
        return await sending;
      } finally {
        sendingAgain.delete(sending);
      }
    },
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
      lostSessions,
    }),
    problems: () => problemsOf(config.name, partsOf()),
    async change(kind, by) {
      if (!(await states.change(config.name, { kind, by }))) return undefined;
      // Another bridge may have a session of it, or replay to its handler, and has to read of it first.
      if (kind === 'pause' && acquire !== undefined) await delay(states.spreadMs);
      return status();
    },
    async drain(signal) {
      history.stop();
      for (const member of [...members, ...drained]) member.stopReading();
      await forwarder.drain(signal);
      // Cut off, what the handler has taken would be sent to it once more.
      if (sendingAgain.size > 0)
        await Promise.race([Promise.allSettled(sendingAgain), untilAborted(signal)]);
      await Promise.all([...members, ...drained].map((member) => member.close()));
      sink.close();
      await evaluator?.close();
    },
  };
}

function isFailing({ kind }: MemberState): boolean {
  return kind === 'disconnected' || kind === 'subscription refused';
}

/** For a message that somebody has sent again, to a route that is not to be sent anything. */
function notSent(state: string): ReplayVerdict {
  const reason = `the route is ${state}`;
  return { kind: 'hold', reason, overloaded: false, broken: false };
}
