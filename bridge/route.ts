// One route: its sessions in, its forwarder out. Nothing here is shared with another route.
import type { Logger } from 'pino';
import type { Broker } from './broker/access.ts';
import type { RouteConfig } from './config.ts';
import { Forwarder } from './forwarder.ts';
import type { RequestSigner } from './handler/request-signing.ts';
import { createSink } from './handler/sink.ts';
import { type Acquire, type MemberState, startMember } from './member.ts';
import type { Metrics, RouteMetrics } from './metrics.ts';
import type { Quarantine } from './quarantine.ts';
import type { ReplayRoute } from './replay.ts';

export interface RouteStatus {
  readonly name: string;
  readonly sessions: readonly MemberState[];
  /** Why the route holds its messages back, or undefined while they flow. */
  readonly holding: string | undefined;
}

export interface Route extends ReplayRoute {
  status(): RouteStatus;
  /** Takes no more messages, settles what it has until `signal` aborts, disconnects, and releases its leases. */
  drain(signal: AbortSignal): Promise<void>;
}

export interface RouteOptions {
  readonly broker: Broker;
  readonly config: RouteConfig;
  /** Absent where requests are not signed. */
  readonly signer: RequestSigner | undefined;
  readonly quarantine: Quarantine;
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
    holding: forwarder.holding !== undefined,
    holdingSeconds: forwarder.holdingMs / 1000,
  }));
  const { counters } = routeMetrics;
  const forwarder = new Forwarder({ config, sink, quarantine, metrics: routeMetrics, log });

  const group = `${broker.clientIdPrefix}-${config.name}`;
  const members = Array.from({ length: config.connections }, (_, index) =>
    startMember(
      {
        broker,
        clientId: `${group}-${index}`,
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
      acquire,
      log,
    ),
  );

  return {
    config,
    post: (body, messageId) => sink.post(body, () => new Set([messageId])),
    status: () => ({
      name: config.name,
      sessions: members.map((member) => member.state()),
      holding: forwarder.holding,
    }),
    async drain(signal) {
      for (const member of members) member.stopReading();
      await forwarder.drain(signal);
      await Promise.all(members.map((member) => member.close()));
      sink.close();
    },
  };
}

function isFailing({ kind }: MemberState): boolean {
  return kind === 'disconnected' || kind === 'subscription refused';
}
