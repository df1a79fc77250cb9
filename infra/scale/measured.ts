// Measured points that the model is calibrated by, and others that it has to predict within 15 % (test/infra/scale). All are medians
// of `npm run bench` on a quiet machine with two cores, at f498e63 of 2026-11-23, mosquitto 2.0.11: QoS 1, 256 B of JSON over
// 1,000 topics, batches of 500, 4 in flight, linger 5 ms (test/bench/results
// of that commit).

interface Point {
  readonly window: number;
  readonly handlerMs: number;
}

export interface Drain extends Point {
  readonly messagesPerSecond: number;
}

export interface Delay extends Point {
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Two points give two constants: the time for a message, and what the handler and its connection add for each. */
export const calibratedBy: readonly Drain[] = [
  { window: 4000, handlerMs: 0, messagesPerSecond: 117_593 },
  { window: 2000, handlerMs: 20, messagesPerSecond: 41_083 },
];

/** What they give; a test holds that the two points come out within 3 %. */
export const calibrated = {
  /** CPU of the bridge for a message, in µs: 10.0 of all its threads, of which the slowest one takes these. */
  messageMicros: 8.3,
  /** For a request: not told apart from the messages in batches of 500; 60 µs a message one by one. */
  requestMicros: 50,
  /** At the handler for each message of a request, in µs, where it does nothing. */
  handlerMessageMicros: 5,
} as const;

/** All threads of the bridge, for a message in batches of 500: what a share of a vCPU has to bear. */
export const allThreadsMicros = 10.6;

export const predictedDrains: readonly Drain[] = [
  { window: 4000, handlerMs: 20, messagesPerSecond: 72_284 },
  { window: 2000, handlerMs: 0, messagesPerSecond: 121_213 },
];

export const predictedDelays: readonly Delay[] = [
  { window: 4000, handlerMs: 20, messagesPerSecond: 35_988, p50Ms: 27.4, p99Ms: 76 },
  { window: 2000, handlerMs: 20, messagesPerSecond: 20_448, p50Ms: 25.5, p99Ms: 39.5 },
];
