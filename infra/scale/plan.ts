// How many of each part a load needs: what saturates first, the settings that get there, delay, backlog and cost. Pure.
import { defaultMaxBatch } from '../../bridge/config/route.ts';
import { topicShare } from '../../bridge/forwarding/batcher.ts';
import type { StorageForm } from '../../functions/contract/storage-form.ts';
import { idleMonth, total } from '../aws/cost.ts';
import {
  batchOf,
  ingestRequest,
  registryUnits,
  trafficMonth,
  writeUnits,
} from '../aws/traffic-cost.ts';
import type { CausewayConfig } from '../config/config.ts';
import { parseCausewayConfig } from '../config/config.ts';
import { headroom, limits } from './limits.ts';
import { allThreadsMicros, calibrated } from './measured.ts';
import { hottestShare, zipfTopic } from './model-parts.ts';
import { runTask } from './task-model.ts';

export interface Load {
  readonly messagesPerSecond: number;
  readonly topics: number;
  /** Exponent of Zipf's law: 0 for topics that are alike, 1 where the second has half of the first, and so on. */
  readonly zipf: number;
  readonly form: StorageForm;
}

export const partNames = {
  cpu: 'CPU of the bridge',
  table: 'write units of the table',
  registry: 'registry of topics, one partition',
  hotTopic: 'partition of the hottest topic',
  lambda: 'executions of ingest',
} as const;

export type Part = keyof typeof partNames;

export interface Plan {
  /** Use of each part if one deployment had all: above 1 it cannot. */
  readonly uses: Readonly<Record<Part, number>>;
  readonly first: Part;
  /** Each with one active task and one table, and a part of the topics. */
  readonly deployments: number;
  /** The hottest topic brings more than its partitions take: no number of deployments helps. */
  readonly tooHot: boolean;
  readonly settings: {
    readonly cpu: number;
    readonly connections: number;
    readonly concurrency: number;
    readonly window: number;
    readonly writeShards: number;
    readonly warmWriteUnitsPerSecond: number;
  };
  readonly brokerCores: number;
  readonly awsIotConnections: number;
  readonly executions: number;
  readonly writeUnitsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly backlogMessages: number;
  readonly backlogGb: number;
  /** After an outage of an hour. */
  readonly drainHours: number;
  readonly dollarsMonth: number;
}

const cpuSizes = [256, 512, 1024] as const;
/** Between bridge and Lambda, in ms: assumed. */
const networkMs = 2;
const buckets = 256;

const requestSeconds = (batch: number) => ingestRequest(batch).seconds + networkMs / 1000;

/** A deployment of the estimate. */
function configWith(cpu: number): CausewayConfig {
  const parsed = parseCausewayConfig({
    broker: { url: 'mqtts://broker.example.com:8883', credentialsSecret: 'broker' },
    bridge: { cpu, memoryMiB: cpu === 256 ? 512 : 2048 },
    routes: [{ name: 'store', filter: '#' }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

/** CPU seconds of a vCPU in a second. */
function cpuUse(perSecond: number, batch: number): number {
  const micros = allThreadsMicros + calibrated.requestMicros / batch;
  return (perSecond * micros) / 1e6;
}

/** Use of each part where this many deployments share the load evenly but for the hottest topic, which one has whole. */
function usesOf(load: Load, deployments: number): Record<Part, number> {
  const { messagesPerSecond, topics, zipf, form } = load;
  const share = { perSecond: messagesPerSecond / deployments, topics: topics / deployments };
  const batch = batchOf(share, form);
  const units = writeUnits(share, form);
  const hottest = messagesPerSecond * hottestShare(topics, zipf);
  const partition = limits.partitionWriteUnits.value;
  const items = form === 'items';
  return {
    cpu: cpuUse(share.perSecond, batch) / limits.taskVcpu.value,
    table: (share.perSecond * units) / limits.tableWriteUnits.value,
    registry: items ? (registryUnits(share) * share.perSecond) / partition : 0,
    hotTopic: items
      ? hottest / (partition * limits.writeShards.value)
      : ((hottest + share.perSecond / buckets) * units) / partition,
    lambda: ((messagesPerSecond / batch) * requestSeconds(batch)) / limits.lambdaConcurrency.value,
  };
}

const splittable: readonly Part[] = ['cpu', 'table', 'registry'];

function deploymentsFor(load: Load): number {
  let count = 1;
  // A smaller share has smaller batches, and each message more CPU and units.
  for (;;) {
    const uses = usesOf(load, count);
    const worst = Math.max(...splittable.map((part) => uses[part]));
    if (worst <= headroom) return count;
    count = Math.max(count + 1, Math.ceil(count * (worst / headroom)));
  }
}

function settingsFor(load: Load, deployments: number): Plan['settings'] {
  const { messagesPerSecond, topics, zipf, form } = load;
  const perSecond = messagesPerSecond / deployments;
  const batch = batchOf({ perSecond, topics: topics / deployments }, form);
  const use = cpuUse(perSecond, batch);
  const cpu = cpuSizes.find((size) => use <= headroom * (size / 1024)) ?? 1024;
  // Of the hottest topic a connection sends a quarter of a batch at a time.
  const hottest = messagesPerSecond * hottestShare(topics, zipf);
  const topicPerSecond = (defaultMaxBatch * topicShare) / requestSeconds(defaultMaxBatch);
  const inFlight = (perSecond * requestSeconds(batch)) / batch / headroom;
  const concurrency = Math.min(limits.requests.value, Math.max(4, Math.ceil(inFlight)));
  const windows = 2 * concurrency * Math.min(defaultMaxBatch, Math.ceil(batch));
  const connections = Math.min(
    limits.connections.value,
    Math.max(1, Math.ceil(hottest / topicPerSecond), Math.ceil(windows / limits.window.value)),
  );
  const units = writeUnits({ perSecond, topics: topics / deployments }, form) * perSecond;
  return {
    cpu,
    connections,
    concurrency: Math.max(concurrency, connections),
    window: Math.min(limits.window.value, Math.max(4000, Math.ceil(windows / connections))),
    writeShards:
      form === 'items'
        ? Math.min(
            limits.writeShards.value,
            Math.ceil(hottest / (headroom * limits.partitionWriteUnits.value)),
          )
        : 1,
    warmWriteUnitsPerSecond:
      units / headroom > limits.newTableWriteUnits.value ? Math.ceil(units / headroom) : 0,
  };
}

/** Of one connection of one deployment. */
function delaysOf(load: Load, deployments: number, settings: Plan['settings']) {
  const { connections, concurrency, window, cpu } = settings;
  const perSecond = load.messagesPerSecond / deployments / connections;
  const topics = Math.ceil(load.topics / deployments);
  const isPacked = load.form === 'packed' && load.messagesPerSecond / deployments >= 50;
  const topicOf = zipfTopic(topics, load.zipf);
  const normal = (random: () => number) =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return runTask(
    {
      maxBatch: defaultMaxBatch,
      // Packed, a batch leaves with about 100 messages.
      lingerMs: isPacked ? Math.min(250, 100_000 / perSecond) : 5,
      concurrency: Math.ceil(concurrency / connections),
      window,
      messageMicros: allThreadsMicros,
      requestMicros: calibrated.requestMicros,
      cores: cpu / 1024 / connections,
      brokerMs: networkMs,
      requestMs: (messages, random) =>
        requestSeconds(messages) * 1000 * Math.exp(limits.requestSpread.value * normal(random)),
    },
    {
      messagesPerSecond: perSecond,
      messages: 20_000,
      topicOf: (_, random) => topicOf(random),
    },
  );
}

export function planOf(load: Load, retentionDays = 30): Plan {
  const { messagesPerSecond, topics, form } = load;
  const uses = usesOf(load, 1);
  const parts = Object.keys(partNames) as Part[];
  const first = parts.reduce((one, other) => (uses[other] > uses[one] ? other : one));
  const deployments = deploymentsFor(load);
  const used = usesOf(load, deployments);
  const settings = settingsFor(load, deployments);
  const share = { perSecond: messagesPerSecond / deployments, topics: topics / deployments };
  const batch = batchOf(share, form);
  const { p50Ms, p99Ms } = delaysOf(load, deployments, settings);
  const config = configWith(settings.cpu);
  const options = {
    retentionDays,
    ingestMemoryMiB: config.ingest.memoryMiB,
    natGateway: config.bridge.natGateway,
  };
  // What is left of the fullest part catches up. A table takes twice of its peak at once; executions are a matter of quota.
  const cpuShare = cpuUse(share.perSecond, batch) / (settings.cpu / 1024);
  const inFlight = ((share.perSecond / batch) * requestSeconds(batch)) / settings.concurrency;
  const fullest = Math.max(
    ...[used.table, used.registry, cpuShare, 1 / limits.onDemandGrowth.value],
    // Batches are full while a backlog is there.
    (inFlight * batch) / defaultMaxBatch,
  );
  const backlogMessages = messagesPerSecond * 3600;
  return {
    uses,
    first,
    deployments,
    tooHot: used.hotTopic > 1,
    settings,
    brokerCores: Math.ceil((messagesPerSecond * limits.brokerMicros.value) / 1e6 / headroom),
    awsIotConnections: Math.ceil(messagesPerSecond / (headroom * limits.awsIotPublishes.value)),
    executions: Math.ceil((messagesPerSecond / batch) * requestSeconds(batch)),
    writeUnitsPerSecond: messagesPerSecond * writeUnits(share, form),
    p50Ms,
    p99Ms,
    backlogMessages,
    backlogGb: (backlogMessages * limits.queuedBytes.value) / 1e9,
    drainHours: fullest >= 1 ? Number.POSITIVE_INFINITY : fullest / (1 - fullest),
    dollarsMonth: deployments * (total(idleMonth(config)) + trafficMonth(share, form, options)),
  };
}
