// The broker's counters and gauges for Prometheus. No labels: client ids and topics are unbounded.
import { Counter, Gauge, Registry } from 'prom-client';
import { type Counters, counterMeanings } from './counters.ts';

/** What there is at the moment. */
export interface BrokerGauges {
  readonly connections: number;
  readonly sessions: number;
  readonly queuedMessages: number;
  readonly heldMessages: number;
  readonly retainedMessages: number;
}

const gaugeMeanings: Record<keyof BrokerGauges, string> = {
  connections: 'Clients that are connected',
  sessions: 'Sessions that outlive their connections',
  queuedMessages: 'QoS 1 and 2 messages of these sessions that are not acknowledged',
  heldMessages:
    'QoS 1 and 2 messages without PUBACK, as a session of the bridge has no room for them',
  retainedMessages: 'Retained messages',
};

/** `maxSessions` in snake case: `max_sessions`. */
const metricName = (name: string) =>
  `causeway_broker_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;

/** A registry that asks for the numbers at each scrape. */
export function brokerMetrics(
  counters: Readonly<Counters>,
  gauges: () => BrokerGauges,
): { readonly registry: Registry; scrape(): Promise<{ text: string; contentType: string }> } {
  const registry = new Registry();
  const registers = [registry];
  for (const [name, help] of Object.entries(counterMeanings)) {
    new Counter({
      name: `${metricName(name)}_total`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(counters[name as keyof Counters]);
      },
    });
  }
  for (const [name, help] of Object.entries(gaugeMeanings)) {
    new Gauge({
      name: metricName(name),
      help,
      registers,
      collect() {
        this.set(gauges()[name as keyof BrokerGauges]);
      },
    });
  }
  return {
    registry,
    async scrape() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
