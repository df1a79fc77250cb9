// What the bridge counts and measures, for Prometheus. Labels are routes, never topics: those are unbounded.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type CertificateExpiries, registerCertificates } from './broker/certificate-metrics.ts';
import {
  type CommandCounters,
  type CommandGauges,
  registerCommands,
} from './commands/command-metrics.ts';

/** Plain numbers, because some grow with each message; Prometheus reads them when it asks. */
export interface RouteCounters {
  received: number;
  delivered: number;
  retried: number;
  quarantined: number;
  droppedQoS0: number;
  /** Messages that were marked as possible duplicates. */
  possibleDuplicates: number;
  /** Messages that the handler found stored already. */
  duplicates: number;
}

/** State of a route at the moment it is asked for. */
export interface RouteGauges {
  readonly inFlightMessages: number;
  readonly inFlightRequests: number;
  readonly concurrencyLimit: number;
  readonly activeSessions: number;
  readonly failingSessions: number;
  readonly holding: boolean;
  readonly holdingSeconds: number;
  readonly paused: boolean;
  readonly disabled: boolean;
}

export interface RouteMetrics {
  readonly counters: RouteCounters;
  /** Once for each request. */
  request(messages: number, latencyMs: number): void;
  /** Once for each batch: how long its first message waited from PUBLISH to PUBACK. */
  acknowledged(latencyMs: number): void;
}

export interface MetricsSnapshot {
  readonly routes: readonly {
    readonly route: string;
    readonly counters: Readonly<RouteCounters>;
    readonly gauges: RouteGauges;
  }[];
  /** Commands by what became of them. */
  readonly results: CommandCounters['results'];
  readonly certificates: CertificateExpiries;
}

export interface Metrics {
  /** Metrics of commands, where there are any; `gauges` is asked at each scrape. */
  commands(gauges: () => CommandGauges): CommandCounters;
  /** Metrics of certificates; `expiries` is asked at each scrape. */
  certificates(expiries: () => CertificateExpiries): void;
  /** Metrics of a route; `gauges` is asked at each scrape. */
  route(name: string, gauges: () => RouteGauges): RouteMetrics;
  /** Counts traces that could not be kept. */
  tracesLost(count: number): void;
  /** The numbers as they are now. */
  snapshot(): MetricsSnapshot;
  /** The exposition text and its media type. */
  scrape(): Promise<{ text: string; contentType: string }>;
}

const counterHelp: Record<keyof RouteCounters, [name: string, help: string]> = {
  received: ['received', 'Messages taken from the broker'],
  delivered: ['delivered', 'Messages that the handler confirmed'],
  retried: ['retried', 'Messages sent again after a failure'],
  quarantined: ['quarantined', 'Messages put into the quarantine'],
  droppedQoS0: ['dropped_qos0', 'QoS 0 messages dropped because the window was full'],
  possibleDuplicates: ['possible_duplicates', 'Messages marked as possible duplicates'],
  duplicates: ['duplicates', 'Messages that the handler had stored already'],
};

const gaugeHelp: Record<keyof RouteGauges, [name: string, help: string]> = {
  inFlightMessages: ['in_flight_messages', 'Messages taken from the broker that are not settled'],
  inFlightRequests: ['in_flight_requests', 'Requests to the handler in flight'],
  concurrencyLimit: ['concurrency_limit', 'Requests that may be in flight now (adaptive)'],
  activeSessions: ['active_sessions', 'Sessions that are connected and subscribed'],
  failingSessions: ['failing_sessions', 'Sessions that cannot connect or subscribe'],
  holding: ['holding', '1 while the handler takes no messages'],
  holdingSeconds: ['holding_seconds', 'How long the handler has taken no messages'],
  paused: ['route_paused', '1 while somebody has paused the route'],
  disabled: ['route_disabled', '1 while the route is disabled, because its handler answered 410'],
};

const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const labelNames = ['route'] as const;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const routes = new Map<string, { counters: RouteCounters; gauges: () => RouteGauges }>();
  let results: CommandCounters['results'] = { sent: 0, answered: 0, failed: 0, expired: 0 };
  let expiriesNow: () => CertificateExpiries = () => ({});

  for (const [key, [name, help]] of Object.entries(counterHelp) as [
    keyof RouteCounters,
    [string, string],
  ][]) {
    new Counter({
      name: `causeway_${name}_messages_total`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [route, { counters }] of routes) this.inc({ route }, counters[key]);
      },
    });
  }
  for (const [key, [name, help]] of Object.entries(gaugeHelp) as [
    keyof RouteGauges,
    [string, string],
  ][]) {
    new Gauge({
      name: `causeway_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        for (const [route, { gauges }] of routes) this.set({ route }, Number(gauges()[key]));
      },
    });
  }
  const batchSize = new Histogram({
    name: 'causeway_batch_messages',
    help: 'Messages in a request',
    labelNames,
    registers,
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
  });
  const handlerSeconds = new Histogram({
    name: 'causeway_handler_seconds',
    help: 'Time of a request to the handler',
    labelNames,
    registers,
    buckets: latencyBuckets,
  });
  const ackSeconds = new Histogram({
    name: 'causeway_ack_seconds',
    help: 'Time from PUBLISH to PUBACK, of the first message of each batch',
    labelNames,
    registers,
    buckets: latencyBuckets,
  });

  const tracesLost = new Counter({
    name: 'causeway_traces_lost_total',
    help: 'Traces of messages that could not be kept; the messages are safe',
    registers,
  });

  return {
    route(name, gauges) {
      const counters: RouteCounters = {
        received: 0,
        delivered: 0,
        retried: 0,
        quarantined: 0,
        droppedQoS0: 0,
        possibleDuplicates: 0,
        duplicates: 0,
      };
      routes.set(name, { counters, gauges });
      return {
        counters,
        request(messages, latencyMs) {
          batchSize.observe({ route: name }, messages);
          handlerSeconds.observe({ route: name }, latencyMs / 1000);
        },
        acknowledged: (latencyMs) => ackSeconds.observe({ route: name }, latencyMs / 1000),
      };
    },
    commands(gauges) {
      const counters = registerCommands(registers, gauges);
      results = counters.results;
      return counters;
    },
    certificates(expiries) {
      expiriesNow = expiries;
      registerCertificates(registers, expiries);
    },
    tracesLost: (count) => tracesLost.inc(count),
    snapshot: () => ({
      routes: [...routes].map(([route, { counters, gauges }]) => ({
        route,
        counters,
        gauges: gauges(),
      })),
      results,
      certificates: expiriesNow(),
    }),
    async scrape() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
