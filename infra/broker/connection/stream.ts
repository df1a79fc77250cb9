// The stream of one connection: bytes in, packets to whom they mean something, and what has to happen in time.
import type { Duplex } from 'node:stream';
import type { PartialReads } from '../../../bridge/base/partial-reads.ts';
import type { Fault } from '../packets/cursor.ts';
import { type Frame, Frames, isFault } from '../packets/frames.ts';
import { Reason } from '../packets/reasons.ts';
import type { BrokerSettings } from '../settings/settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Connection } from './connection.ts';

export interface StreamParts {
  readonly limits: BrokerSettings['limits'];
  readonly counters: Counters;
  readonly partialPackets: PartialReads;
  /** Takes the next packet; false where the one after it has to wait, until `resume`. */
  readonly onPacket: (frame: Frame) => boolean;
  readonly onFault: (fault: Fault) => void;
}

export interface PacketStream {
  /** Packets may come again. */
  resume(): void;
  /** From now on the client has to send a packet in one and a half times this [MQTT-3.1.2-24]; 0 for never. */
  keepAlive(seconds: number): void;
}

export function readPackets(
  stream: Duplex,
  connection: Connection,
  parts: StreamParts,
): PacketStream {
  const { limits, counters, partialPackets } = parts;
  const frames = new Frames(limits.maxPacketBytes);
  let paused = false;
  let reading = false;
  let noted = 0;
  let lastPacketMs = 0;
  const tooSlow = () => {
    counters.packetsTooSlow++;
    connection.close(
      { reason: 'error', detail: 'its packet did not come whole in time' },
      Reason.unspecifiedError,
    );
  };
  const note = (bytes: number) => {
    if (bytes === 0 && noted === 0) return;
    noted = bytes;
    partialPackets.note(tooSlow, bytes);
  };
  const readAll = () => {
    if (reading) return;
    reading = true;
    while (!paused && connection.state !== 'closed') {
      const next = frames.next();
      if (next === undefined) break;
      if (isFault(next)) {
        parts.onFault(next);
        break;
      }
      lastPacketMs = performance.now();
      if (!parts.onPacket(next)) paused = true;
    }
    reading = false;
    note(connection.state === 'closed' ? 0 : frames.waitingBytes);
    if (paused) stream.pause();
  };

  const connectTimer = setTimeout(() => {
    if (connection.state !== 'waiting') return;
    counters.protocolErrors++;
    connection.close({ reason: 'error', detail: 'no CONNECT came in time' });
  }, limits.connectTimeoutMs).unref();
  let keepAliveTimer: NodeJS.Timeout | undefined;
  const watch = (allowedMs: number) => {
    const leftMs = lastPacketMs + allowedMs - performance.now();
    keepAliveTimer = setTimeout(
      () => {
        if (performance.now() - lastPacketMs < allowedMs) return watch(allowedMs);
        counters.keepAliveTimeouts++;
        connection.close({ reason: 'keep-alive' }, Reason.keepAliveTimeout);
      },
      Math.max(leftMs, 1),
    ).unref();
  };
  connection.onEnd(() => {
    clearTimeout(connectTimer);
    clearTimeout(keepAliveTimer);
    note(0);
  });
  stream.on('data', (chunk: Buffer) => {
    if (connection.state === 'closed') return;
    frames.push(chunk);
    readAll();
  });
  stream.on('error', () => {});
  for (const event of ['end', 'close'])
    stream.once(event, () =>
      connection.gone({ reason: 'error', detail: 'closed without DISCONNECT' }),
    );
  return {
    resume() {
      if (!paused) return;
      paused = false;
      readAll();
      if (!paused) stream.resume();
    },
    keepAlive(seconds) {
      clearTimeout(connectTimer);
      lastPacketMs = performance.now();
      if (seconds > 0) watch(seconds * 1500);
    },
  };
}
