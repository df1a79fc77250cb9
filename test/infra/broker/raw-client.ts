// A client of bytes, for what no MQTT library sends, or does not do.
import { connect, type Socket } from 'node:net';
import { generate, type Packet } from 'mqtt-packet';
import type { EmbeddedBroker } from '../../../infra/broker/broker.ts';
import { closeAfterTest } from './started.ts';

export function open(broker: Pick<EmbeddedBroker, 'port'>): Socket {
  const socket = connect(broker.port, '127.0.0.1');
  socket.on('error', () => {});
  closeAfterTest(() => socket.destroy());
  return socket;
}

export const bytes = (packet: Packet) => generate(packet, { protocolVersion: 4 });

export const connectPacket = (clientId: string, clean = true) =>
  bytes({ cmd: 'connect', clientId, clean, keepalive: 0, protocolVersion: 4 });

export const subscribePacket = (topic: string, qos: 0 | 1) =>
  bytes({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
