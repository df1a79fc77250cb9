// The metrics of a registry as a list, with what Prometheus's own text tells of them only once they have values.
import type { Registry } from 'prom-client';

export interface MetricEntry {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
}

/** In the order in which they were registered. */
export function metricsIn(registry: Registry): MetricEntry[] {
  return (registry.getMetricsAsArray() as unknown as Registered[]).map(
    ({ name, help, type, labelNames }) => ({ name, help, kind: type, labels: [...labelNames] }),
  );
}

/** The package's types leave out the labels. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly type: MetricEntry['kind'];
  readonly labelNames: readonly string[];
}
