// One connection of a bridge, message by message: window, lanes by topic, batches, requests in flight, PUBACKs in order. The
// rules are those of bridge/forwarding; time is reckoned, and nothing is random but by a seed. Pure.
import { defaultMaxBatch } from '../../bridge/config/route.ts';
import { topicShare } from '../../bridge/forwarding/batcher.ts';
import { calibrated } from './measured.ts';
import { Heap, seededRandom } from './model-parts.ts';

export interface TaskShape {
  readonly maxBatch: number;
  readonly lingerMs: number;
  readonly concurrency: number;
  readonly window: number;
  /** CPU of the bridge for a message, and for a request, in µs. */
  readonly messageMicros: number;
  readonly requestMicros: number;
  /** Cores that the bridge has. */
  readonly cores: number;
  /** From a PUBACK to the message that it made room for. */
  readonly brokerMs: number;
  /** Time of a request with so many messages. */
  readonly requestMs: (messages: number, random: () => number) => number;
}

export interface TaskLoad {
  /** Absent for a backlog: then all messages wait at the broker from the beginning. */
  readonly messagesPerSecond?: number;
  readonly messages: number;
  /** Topic of the next message: a whole number below `topics`. */
  readonly topicOf: (sequence: number, random: () => number) => number;
}

export interface TaskRun {
  readonly messagesPerSecond: number;
  /** From publish to PUBACK. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Messages in a request, on the average. */
  readonly batch: number;
  /** Share of its CPU that the bridge used. */
  readonly cpuShare: number;
  readonly maxInFlight: number;
}

/** Of the CPU for a message: until it is in its lane. The rest is for its place in a request, and its PUBACK. */
const receivingShare = 0.5;

interface Lane {
  readonly waiting: number[];
  inFlight: boolean;
}

interface Request {
  readonly endsAtMs: number;
  readonly messages: readonly number[];
  readonly lanes: readonly Lane[];
}

export function runTask(shape: TaskShape, load: TaskLoad, seed = 1): TaskRun {
  const { maxBatch, lingerMs, concurrency, window, cores, brokerMs } = shape;
  const random = seededRandom(seed);
  const { messages } = load;
  const published = new Float64Array(messages);
  const arrived = new Float64Array(messages);
  const settled = new Float64Array(messages);
  const freedAt = new Float64Array(messages);
  const topics = new Uint32Array(messages);
  const gapMs = load.messagesPerSecond === undefined ? 0 : 1000 / load.messagesPerSecond;
  for (let at = 0, sequence = 0; sequence < messages; sequence++) {
    published[sequence] = at;
    topics[sequence] = load.topicOf(sequence, random);
    at -= gapMs * Math.log(1 - random());
  }

  const lanes = new Map<number, Lane>();
  const ready = new Heap<Lane>((one) => one.waiting[0] ?? 0);
  const flying = new Heap<Request>((one) => one.endsAtMs);
  let readyMessages = 0;
  let cpuFreeMs = 0;
  let busyMs = 0;
  let nowMs = 0;
  let next = 0;
  let acknowledged = 0;
  let requests = 0;
  let maxInFlight = 0;
  const work = (micros: number, fromMs: number) => {
    const ms = micros / 1000 / cores;
    busyMs += ms;
    cpuFreeMs = Math.max(cpuFreeMs, fromMs) + ms;
    return cpuFreeMs;
  };
  /** When the next message can be here; never while the window is full. */
  const nextAtMs = () => {
    if (next >= messages || next - acknowledged >= window) return Number.POSITIVE_INFINITY;
    const roomAtMs = next < window ? 0 : (freedAt[next - window] ?? 0) + brokerMs;
    return Math.max(published[next] ?? 0, roomAtMs, cpuFreeMs);
  };
  const receive = (atMs: number) => {
    const sequence = next++;
    arrived[sequence] = work(shape.messageMicros * receivingShare, atMs);
    const topic = topics[sequence] ?? 0;
    let lane = lanes.get(topic);
    if (lane === undefined) {
      lane = { waiting: [], inFlight: false };
      lanes.set(topic, lane);
    }
    lane.waiting.push(sequence);
    if (lane.inFlight) return;
    readyMessages++;
    if (lane.waiting.length === 1) ready.add(lane);
  };
  const take = () => {
    const batch: number[] = [];
    const taken: Lane[] = [];
    const move = (lane: Lane, max: number) => {
      const some = lane.waiting.splice(0, Math.min(max, maxBatch - batch.length));
      batch.push(...some);
    };
    while (batch.length < maxBatch) {
      const lane = ready.pop();
      if (lane === undefined) break;
      lane.inFlight = true;
      taken.push(lane);
      readyMessages -= lane.waiting.length;
      move(lane, Math.ceil(maxBatch * topicShare));
    }
    for (const lane of taken) move(lane, maxBatch);
    return { batch, taken };
  };
  /** When a batch is due; never while no slot is free or nothing is ready. */
  const dueMs = () => {
    const oldest = ready.first;
    if (oldest === undefined || flying.size >= concurrency) return Number.POSITIVE_INFINITY;
    if (readyMessages >= maxBatch || next - acknowledged >= window || next >= messages)
      return nowMs;
    return Math.max(nowMs, (arrived[oldest.waiting[0] ?? 0] ?? 0) + lingerMs);
  };
  const send = () => {
    const { batch, taken } = take();
    const micros = shape.requestMicros + batch.length * shape.messageMicros * (1 - receivingShare);
    const sentMs = work(micros, nowMs);
    const endsAtMs = sentMs + shape.requestMs(batch.length, random);
    flying.add({ endsAtMs, messages: batch, lanes: taken });
    requests++;
    maxInFlight = Math.max(maxInFlight, flying.size);
  };
  const settle = ({ messages: done, lanes: released }: Request) => {
    for (const sequence of done) settled[sequence] = nowMs;
    for (const lane of released) {
      lane.inFlight = false;
      if (lane.waiting.length === 0) continue;
      ready.add(lane);
      readyMessages += lane.waiting.length;
    }
    // PUBACKs leave in the order of arrival.
    for (; acknowledged < next && (settled[acknowledged] ?? 0) > 0; acknowledged++)
      freedAt[acknowledged] = nowMs;
  };

  while (acknowledged < messages) {
    const arrivesMs = nextAtMs();
    const sendsMs = dueMs();
    const endsMs = flying.first?.endsAtMs ?? Number.POSITIVE_INFINITY;
    nowMs = Math.max(nowMs, Math.min(arrivesMs, sendsMs, endsMs));
    if (endsMs <= nowMs) settle(flying.pop() as Request);
    else if (sendsMs <= nowMs) send();
    else receive(nowMs);
  }

  // The first messages find an empty bridge, and the last ones end in one.
  const from = Math.floor(messages / 5);
  const delays = Array.from(
    freedAt.subarray(from),
    (atMs, index) => atMs - (published[from + index] ?? 0),
  ).sort((a, b) => a - b);
  const at = (share: number) => delays[Math.floor((delays.length - 1) * share)] ?? 0;
  const spanMs = freedAt[messages - 1] ?? 0;
  return {
    messagesPerSecond: (messages / spanMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    batch: messages / requests,
    cpuShare: busyMs / spanMs,
    maxInFlight,
  };
}

/** What `npm run bench` measures, by the model: a drain, or the delay at a rate. */
export function benchRun(point: {
  readonly window: number;
  readonly handlerMs: number;
  readonly messagesPerSecond?: number;
}): TaskRun {
  const { window, handlerMs, ...rate } = point;
  const { messageMicros, requestMicros, handlerMessageMicros } = calibrated;
  const shape = { maxBatch: defaultMaxBatch, lingerMs: 5, concurrency: 4, cores: 1, brokerMs: 0 };
  return runTask(
    {
      ...shape,
      ...{ window, messageMicros, requestMicros },
      requestMs: (messages) => handlerMs + (messages * handlerMessageMicros) / 1000,
    },
    { ...rate, messages: 60_000, topicOf: (sequence) => sequence % 1000 },
  );
}
