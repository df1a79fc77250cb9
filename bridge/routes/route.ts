// One route: its sessions in, its forwarder out. Nothing here is shared with another route.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Message } from '../../functions/contract/message.ts';
import type { RouteStatus } from '../../functions/contract/route-status.ts';
import type { Trace } from '../../functions/contract/trace.ts';
import { untilAborted } from '../aborted.ts';
import type { Broker } from '../broker/access.ts';
import { clientIdOf } from '../broker/client-ids.ts';
import type { RouteConfig } from '../config.ts';
import { Forwarder } from '../forwarding/forwarder.ts';
import { type TraceStore, Traces } from '../forwarding/traces.ts';
import type { RequestSigner } from '../handler/request-signing.ts';
import { createSink } from '../handler/sink.ts';
import type { Verdict } from '../handler/verdict.ts';
import type { Metrics, RouteMetrics } from '../metrics.ts';
import type { Quarantine } from '../quarantine/quarantine.ts';
import type { ReplayRoute } from '../quarantine/replay.ts';
import { type Acquire, type MemberState, startMember } from '../session/member.ts';
import type { RouteStates } from './route-states.ts';
import { problemsOf, type RouteParts, statePartsOf } from './route-status.ts';

export interface Route extends ReplayRoute {
  /** What is known of messages with this id that are not settled. */
  waitingTraces(messageId: string): Trace[];
  status(): RouteStatus;
  /** What keeps it from being ready, a line for each. */
  problems(): readonly string[];
  /**
   * Resolves when a pause holds for every bridge, or a resume for this one, with the status then; undefined where it
   * could not be stored.
   */
  change(kind: 'pause' | 'resume', by: string | undefined): Promise<RouteStatus | undefined>;
  /** Takes no more messages, settles what it has until `signal` aborts, disconnects, and releases its leases. */
  drain(signal: AbortSignal): Promise<void>;
}

/** How many messages the broker keeps for a client id, where it tells: undefined where it knows none. */
export type BacklogOf = (clientId: string) => number | undefined;

export interface RouteOptions {
  readonly broker: Broker;
  readonly config: RouteConfig;
  /** Absent where requests are not signed. */
  readonly signer: RequestSigner | undefined;
  readonly quarantine: Quarantine;
  /** Absent where traces are not kept. */
  readonly traceStore: TraceStore | undefined;
  readonly states: RouteStates;
  readonly backlogOf: BacklogOf | undefined;
  /** Absent where there is one bridge, and every session is its own. */
  readonly acquire: Acquire | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function startRoute({
  broker,
  config,
  signer,
  quarantine,
  traceStore,
  states,
  backlogOf,
  acquire,
  metrics,
  log,
}: RouteOptions): Route {
  const sink = createSink(config, signer);
  const routeMetrics: RouteMetrics = metrics.route(config.name, () => ({
    inFlightMessages: members.reduce((sum, member) => sum + member.unsettled(), 0),
    inFlightRequests: forwarder.inFlightRequests,
    concurrencyLimit: forwarder.concurrencyLimit,
    activeSessions: members.filter((member) => member.state().kind === 'active').length,
    failingSessions: members.filter((member) => isFailing(member.state())).length,
    // Nobody asks the handler of a route that is paused.
    holding: gate.isOpen && forwarder.holding !== undefined,
    holdingSeconds: gate.isOpen ? forwarder.holdingMs / 1000 : 0,
    paused: gate.state?.kind === 'paused',
    disabled: gate.state?.kind === 'disabled',
  }));
  const { counters } = routeMetrics;
  const gate = states.gate(config.name);
  const traces = new Traces(config.name, traceStore);
  const forwarder = new Forwarder({
    config,
    sink,
    gate,
    quarantine,
    metrics: routeMetrics,
    traces,
    log,
  });

  /** Whoever takes a session over has to know whether the route has been paused meanwhile. */
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

  function status(): RouteStatus {
    const parts = partsOf();
    const { lastError } = forwarder;
    return {
      name: config.name,
      filter: config.filter,
      handler: new URL(config.url).host,
      ...statePartsOf(parts),
      sessions: parts.sessions.map((session) => ({
        state: session.kind,
        ...('reason' in session && { reason: session.reason }),
      })),
      unsettledMessages: members.reduce((sum, member) => sum + member.unsettled(), 0),
      ...(backlogOf !== undefined && {
        backlogMessages: clientIds.reduce((sum, clientId) => sum + (backlogOf(clientId) ?? 0), 0),
      }),
      requestsInFlight: forwarder.inFlightRequests,
      concurrencyLimit: forwarder.concurrencyLimit,
      deliveredPerSecond: forwarder.deliveredPerSecond,
      receivedMessages: counters.received,
      deliveredMessages: counters.delivered,
      retriedMessages: counters.retried,
      quarantinedMessages: counters.quarantined,
      ...(lastError !== undefined && { lastError }),
    };
  }

  const group = `${broker.clientIdPrefix}-${config.name}`;
  const clientIds = Array.from({ length: config.connections }, (_, index) =>
    clientIdOf(broker, `${config.name}-${index}`),
  );
  const members = clientIds.map((clientId, index) => {
    // A lease keeps its name whatever client id the broker gave out.
    const leaseName = `${group}-${index}`;
    return startMember(
      {
        broker,
        clientId,
        // The connections of a route share its messages; a dead one's share waits for its successor.
        filter: config.connections === 1 ? config.filter : `$share/${group}/${config.filter}`,
        qos: config.qos,
        window: config.window,
        maxWindowBytes: config.maxWindowBytes,
        log,
        onDelivery(delivery) {
          counters.received++;
          if (delivery.message.possibleDuplicate) counters.possibleDuplicates++;
          forwarder.add(delivery);
        },
        onQoS0Dropped() {
          counters.droppedQoS0++;
        },
      },
      acquire && ((_, ...rest) => takeOver(acquire, leaseName, ...rest)),
      log,
    );
  });

  /** Messages that somebody sends again, past the lanes. */
  async function sendAgain(messages: readonly Message[]): Promise<Verdict> {
    if (!gate.isOpen) return notSent(gate.state?.kind ?? 'unknown');
    const built = sink.request(messages);
    if (built.kind === 'unsendable') return { kind: 'rejected', reason: built.reason };
    const ids = () => new Set(messages.map(({ id }) => id));
    const { version } = gate;
    const { verdict } = await sink.post(built.request, ids);
    if (verdict.kind === 'gone') gate.gone(verdict.reason, version);
    return verdict;
  }

  /** What is being sent again. */
  const sendingAgain = new Set<Promise<unknown>>();

  return {
    config,
    async send(messages) {
      const sending = sendAgain(messages);
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
    problems: () => problemsOf(config.name, partsOf()),
    async change(kind, by) {
      if (!(await states.change(config.name, { kind, by }))) return undefined;
      // Another bridge may have a session of it, or replay to its handler, and has to read of it first.
      if (kind === 'pause' && acquire !== undefined) await delay(states.spreadMs);
      return status();
    },
    async drain(signal) {
      for (const member of members) member.stopReading();
      await forwarder.drain(signal);
      // Cut off, what the handler has taken would be sent to it once more.
      if (sendingAgain.size > 0)
        await Promise.race([Promise.allSettled(sendingAgain), untilAborted(signal)]);
      await Promise.all(members.map((member) => member.close()));
      sink.close();
    },
  };
}

function isFailing({ kind }: MemberState): boolean {
  return kind === 'disconnected' || kind === 'subscription refused';
}

/** For a message that somebody has sent again, to a route that is not to be sent anything. */
function notSent(state: string): Verdict {
  const reason = `the route is ${state}`;
  return { kind: 'hold', reason, overloaded: false, broken: false };
}
