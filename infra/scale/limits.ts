// What the parts bear, each with where the figure is from. What nobody documents is measured (measured.ts) or assumed, and says so.

export interface Limit {
  readonly value: number;
  readonly unit: string;
  readonly source: string;
}

export const limits = {
  partitionWriteUnits: {
    value: 1000,
    unit: 'write units/s of one partition',
    source: 'DynamoDB Developer Guide, "Designing partition keys to distribute your workload"',
  },
  tableWriteUnits: {
    value: 40_000,
    unit: 'write units/s of a table on demand, until it is raised',
    source: 'DynamoDB Developer Guide, "Quotas", default throughput quotas',
  },
  newTableWriteUnits: {
    value: 4000,
    unit: 'write units/s of a new table at once',
    source: 'DynamoDB Developer Guide, "On-demand capacity mode", initial throughput',
  },
  onDemandGrowth: {
    value: 2,
    unit: 'times the peak so far, at once',
    source: 'DynamoDB Developer Guide, "On-demand capacity mode", previous peak',
  },
  lambdaConcurrency: {
    value: 1000,
    unit: 'executions at once in an account, until it is raised',
    source: 'Lambda Developer Guide, "Quotas", concurrent executions',
  },
  taskVcpu: {
    value: 1,
    unit: 'vCPU of a task: one process does not use more',
    source: '`bridge.cpu` (configuration.md)',
  },
  connections: {
    value: 256,
    unit: 'connections of a route',
    source: '`routes[].connections` (configuration.md)',
  },
  window: {
    value: 65_535,
    unit: 'unacknowledged messages of a connection',
    source: 'MQTT 5, Receive Maximum [MQTT-3.1.2-11.3]; packet ids are 16 bits',
  },
  requests: {
    value: 256,
    unit: 'requests of a route in flight',
    source: '`routes[].concurrency` (configuration.md)',
  },
  writeShards: {
    value: 32,
    unit: 'partitions of a topic',
    source: '`writeShards` (configuration.md)',
  },
  brokerMicros: {
    value: 27,
    unit: 'µs CPU of mosquitto 2.0.11 for a message at QoS 1 to a kept session; it uses one core',
    source: 'measured, infra/broker/README.md, "Speed"',
  },
  awsIotPublishes: {
    value: 100,
    unit: 'publishes/s of a connection to AWS IoT Core, in and out together',
    source: 'AWS General Reference, "AWS IoT Core endpoints and quotas"',
  },
  awsIotInbound: {
    value: 20_000,
    unit: 'inbound publishes/s of an account, until it is raised',
    source: 'AWS General Reference, "AWS IoT Core endpoints and quotas"',
  },
  queuedBytes: {
    value: 350,
    unit: 'bytes of a waiting message at the broker: 200 of payload, its topic, what the broker notes',
    source: 'assumed',
  },
  requestSpread: {
    value: 0.35,
    unit: 'sigma of the logarithm of the time of a request to ingest: one in a hundred takes 2.3 times as long',
    source: 'assumed',
  },
} as const satisfies Record<string, Limit>;

/** Parts are filled so far on the average: what is above is for peaks, and for what waits after an outage. */
export const headroom = 0.6;
