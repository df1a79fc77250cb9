// Messages of the benchmark, as a fleet of devices sends them: each topic in its turn, the same at every run.
import { ReceiptClock } from '../../bridge/session/receipt-clock.ts';
import type { Message } from '../../functions/contract/message.ts';

/** What a payload is. */
export const kinds = ['200 B JSON', '200 B random', '2 KB JSON'] as const;

export type Kind = (typeof kinds)[number];

/** Numbers from 0 to 1 that are the same at every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The next message, received at `now`. */
export function createTraffic(kind: Kind, topics: number, now: () => number): () => Message {
  const random = randomNumbers(1);
  const clock = new ReceiptClock(now);
  // Devices do not report in the order of their names.
  const stride = topics % 7919 === 0 ? 1 : 7919;
  const between = (low: number, high: number, digits = 0) =>
    (low + random() * (high - low)).toFixed(digits);
  const payloads: Record<Kind, (device: number) => Buffer> = {
    '200 B JSON': (device) =>
      Buffer.from(
        `{"deviceId":"sensor-${String(device).padStart(6, '0')}","ts":${now() - Math.floor(random() * 900)},"temperature":${between(15, 30, 2)},"humidity":${between(30, 80, 1)},"pressure":${between(980, 1030, 1)},"battery":${between(0, 100)},"rssi":-${between(40, 99)},"status":"${random() < 0.95 ? 'ok' : 'degraded'}","fw":"2.4.1","co2":${between(400, 1300)},"lux":${between(0, 2000, 1)}}`,
      ),
    '200 B random': () =>
      Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))),
    '2 KB JSON': (device) =>
      Buffer.from(
        JSON.stringify({
          gateway: `gateway-${device}`,
          ts: now(),
          readings: Array.from({ length: 26 }, (_, channel) => ({
            channel: `channel-${channel}`,
            value: Number(between(0, 1000, 3)),
            unit: ['C', 'bar', 'rpm', 'kW'][channel % 4],
            quality: random() < 0.97 ? 'good' : 'uncertain',
          })),
        }),
      ),
  };
  let count = 0;
  return () => {
    count++;
    const device = (count * stride) % topics;
    return {
      id: `_W63EK1bGPkhTtlI-${count}`,
      source: 'mqtts://broker.example.com:8883/causeway-store-0',
      topic: `site/${device % 97}/line-${device % 7}/sensor-${device}/telemetry`,
      time: clock.stamp(),
      payload: payloads[kind](device),
      qos: 1,
      retain: false,
      packetId: 1 + (count % 65_535),
    };
  };
}
