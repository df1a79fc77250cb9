// What the bridge counts and measures, for Prometheus. Labels are routes, never topics: those are unbounded.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type CertificateExpiries, registerCertificates } from './certificate-metrics.ts';
import { type CommandCounters, type CommandGauges, registerCommands } from './command-metrics.ts';

/** Plain numbers, because some grow with each message; Prometheus reads them when it asks. */
export interface RouteCounters {
  received: number;
  delivered: number;
  retried: number;
  /** Messages that the route's `where` dropped: acknowledged, and not delivered. */
  filtered: number;
  quarantined: number;
  /** Dead letters that were deleted, as their topic had too many. */
  displaced: number;
  droppedQoS0: number;
  /** Messages that were marked as possible duplicates. */
  possibleDuplicates: number;
  /** Messages that the handler found stored already. */
  duplicates: number;
  /** Messages of an earlier filter, acknowledged and not delivered. */
  foreign: number;
  /** Messages that no filter of their session matches. */
  unmatched: number;
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
  readonly noisyTopic: boolean;
}

export interface RouteMetrics {
  readonly counters: RouteCounters;
  /** Once for each request. */
  request(messages: number, latencyMs: number): void;
  /** Once for each batch: how long its first message waited from PUBLISH to PUBACK. */
  acknowledged(latencyMs: number): void;
  /** The broker no longer had a session that it should have kept. */
  sessionLost(): void;
}

export interface MetricsSnapshot {
  readonly routes: readonly {
    readonly route: string;
    readonly counters: Readonly<RouteCounters>;
    readonly gauges: RouteGauges;
  }[];
  /** Sessions that the broker no longer had. */
  readonly lostSessions: number;
  /** Commands by what became of them. */
  readonly results: CommandCounters['results'];
  readonly certificates: CertificateExpiries;
  readonly clockErrorMs: number;
}

export interface Metrics {
  /** Metrics of commands, where there are any; `gauges` is asked at each scrape. */
  commands(gauges: () => CommandGauges): CommandCounters;
  /** Metrics of certificates; `expiries` is asked at each scrape. */
  certificates(expiries: () => CertificateExpiries): void;
  /** How far the clock is ahead of what trusted answers say, in ms; asked at each scrape. */
  clock(errorMs: () => number): void;
  /** How far the index of packed messages is behind, in ms; asked at each scrape. */
  index(delayMs: () => number): void;
  /** Metrics of a route; `gauges` is asked at each scrape. */
  route(name: string, gauges: () => RouteGauges): RouteMetrics;
  /** Counts traces that could not be kept. */
  tracesLost(count: number): void;
  /** Spans that no collector has taken; asked at each scrape. */
  spans(lost: () => number): void;
  /** For who makes a list of what there is. */
  readonly registry: Registry;
  /** The numbers as they are now. */
  snapshot(): MetricsSnapshot;
  /** The exposition text and its media type. */
  scrape(): Promise<{ text: string; contentType: string }>;
}

const counterHelp: Record<keyof RouteCounters, [name: string, help: string]> = {
  received: ['received', 'Messages taken from the broker'],
  delivered: ['delivered', 'Messages that the handler confirmed'],
  retried: ['retried', 'Messages sent again after a failure'],
  filtered: [
    'filtered',
    'Messages for which `where` was not true: acknowledged, and not delivered',
  ],
  quarantined: ['quarantined', 'Messages that became dead letters'],
  displaced: ['displaced', 'Dead letters deleted because their topic had too many in the route'],
  droppedQoS0: ['dropped_qos0', 'QoS 0 messages dropped because the window was full'],
  possibleDuplicates: ['possible_duplicates', 'Messages marked as possible duplicates'],
  duplicates: ['duplicates', 'Messages that the handler had stored already'],
  foreign: ['foreign', 'Messages of an earlier filter, acknowledged and not delivered'],
  unmatched: ['unmatched', 'Messages that no filter of their session matches, delivered'],
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
  noisyTopic: [
    'noisy_topic',
    '1 while one topic holds half of the window, and all others of the route wait behind it',
  ],
  disabled: ['route_disabled', '1 while the route is disabled, because its handler answered 410'],
};

const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const labelNames = ['route'] as const;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const routes = new Map<string, { counters: RouteCounters; gauges: () => RouteGauges }>();
  let results: CommandCounters['results'] = { sent: 0, answered: 0, failed: 0, expired: 0 };
  let clockErrorMs = () => 0;
  let indexDelayMs = () => 0;
  let lostSpans = () => 0;
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

  new Gauge({
    name: 'causeway_clock_error_seconds',
    help: 'How far the clock is ahead of the Date of answers of ingest and DynamoDB, below 0 behind; 0 within a minute',
    registers,
    collect() {
      this.set(clockErrorMs() / 1000);
    },
  });
  new Gauge({
    name: 'causeway_index_delay_seconds',
    help: 'How far the index of packed messages is behind the log: 8 to 70 where all is well, 0 in a bridge that does not write it',
    registers,
    collect() {
      this.set(indexDelayMs() / 1000);
    },
  });
  let lostSessions = 0;
  const sessionsLost = new Counter({
    name: 'causeway_lost_sessions_total',
    help: 'Sessions that the broker no longer had, with what it kept for them',
    labelNames,
    registers,
  });
  const tracesLost = new Counter({
    name: 'causeway_traces_lost_total',
    help: 'Traces of messages that could not be kept; the messages are safe',
    registers,
  });

  new Counter({
    name: 'causeway_spans_lost_total',
    help: 'Spans of OpenTelemetry that no collector has taken; the messages are safe',
    registers,
    collect() {
      this.reset();
      this.inc(lostSpans());
    },
  });

  return {
    registry,
    route(name, gauges) {
      const counters: RouteCounters = {
        received: 0,
        delivered: 0,
        retried: 0,
        filtered: 0,
        quarantined: 0,
        displaced: 0,
        droppedQoS0: 0,
        possibleDuplicates: 0,
        duplicates: 0,
        foreign: 0,
        unmatched: 0,
      };
      routes.set(name, { counters, gauges });
      // Prometheus sees no increase from nothing to the first.
      sessionsLost.inc({ route: name }, 0);
      return {
        counters,
        request(messages, latencyMs) {
          batchSize.observe({ route: name }, messages);
          handlerSeconds.observe({ route: name }, latencyMs / 1000);
        },
        acknowledged: (latencyMs) => ackSeconds.observe({ route: name }, latencyMs / 1000),
        sessionLost() {
          lostSessions++;
          sessionsLost.inc({ route: name });
        },
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
    clock(errorMs) {
      clockErrorMs = errorMs;
    },
    index(delayMs) {
      indexDelayMs = delayMs;
    },
    spans(lost) {
      lostSpans = lost;
    },
    tracesLost: (count) => tracesLost.inc(count),
    snapshot: () => ({
      routes: [...routes].map(([route, { counters, gauges }]) => ({
        route,
        counters,
        gauges: gauges(),
      })),
      results,
      lostSessions,
      certificates: expiriesNow(),
      clockErrorMs: clockErrorMs(),
    }),
    async scrape() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
