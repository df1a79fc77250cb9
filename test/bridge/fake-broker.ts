// A broker that does with each PUBLISH what a test says; it counts what is not acknowledged.
import { createServer, type Socket } from 'node:net';
import mqttPacket, { type IConnackPacket, type IPublishPacket, type Packet } from 'mqtt-packet';
import { listenDuringTest } from '../support/listen-during-test.ts';

export interface Published {
  readonly topic: string;
  readonly text: string;
  readonly packet: IPublishPacket;
  /** Sends PUBACK, or PUBREC; once. */
  ack(reasonCode?: number): void;
  /** Ends the connection without a word. */
  close(): void;
}

export interface FakeBroker {
  readonly url: string;
  /** All that came, in order. */
  readonly published: Published[];
  connects: number;
  readonly clientIds: string[];
  mostUnacknowledged: number;
  onPublish: (published: Published) => void;
  /** What its SUBACK says of a filter: a reason code, or nothing and the end of the connection, or nothing at all. */
  onSubscribe: (filter: string) => number | 'close' | 'silence';
  /** Filters that are asked for, in order. */
  readonly subscribed: string[];
  /** Sends a message at QoS 0 to all. */
  send(topic: string, payload: string, properties?: IPublishPacket['properties']): void;
  /** Ends all connections. */
  cut(): void;
}

/** `properties` stand in its CONNACK. It acknowledges at once unless `onPublish` is replaced. */
export async function startFakeBroker(
  properties: NonNullable<IConnackPacket['properties']> = {},
): Promise<FakeBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const parser = mqttPacket.parser({ protocolVersion: 5 });
    const send = (packet: Packet) => {
      if (!socket.destroyed) socket.write(mqttPacket.generate(packet, { protocolVersion: 5 }));
    };
    const unacknowledged = new Set<number>();
    parser.on('packet', (packet) => {
      const { messageId = 0 } = packet;
      if (packet.cmd === 'connect') {
        broker.connects++;
        broker.clientIds.push(packet.clientId);
        send({ cmd: 'connack', reasonCode: 0, sessionPresent: false, properties });
      } else if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
      else if (packet.cmd === 'subscribe') {
        const [filter = ''] = packet.subscriptions.map(({ topic }) => topic);
        broker.subscribed.push(filter);
        const said = broker.onSubscribe(filter);
        if (said === 'close') socket.destroy();
        else if (said !== 'silence') send({ cmd: 'suback', messageId, granted: [said] });
      } else if (packet.cmd === 'unsubscribe') send({ cmd: 'unsuback', messageId, granted: [0] });
      else if (packet.cmd === 'pubrel') {
        unacknowledged.delete(messageId);
        send({ cmd: 'pubcomp', messageId });
      } else if (packet.cmd === 'publish') {
        if (packet.qos > 0) unacknowledged.add(messageId);
        broker.mostUnacknowledged = Math.max(broker.mostUnacknowledged, unacknowledged.size);
        const published: Published = {
          topic: packet.topic,
          text: packet.payload.toString(),
          packet,
          ack(reasonCode = 0) {
            if (packet.qos === 0) return;
            if (packet.qos === 1 || reasonCode >= 0x80) unacknowledged.delete(messageId);
            send({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId, reasonCode });
          },
          close: () => socket.destroy(),
        };
        broker.published.push(published);
        broker.onPublish(published);
      }
    });
    socket.on('data', (bytes) => parser.parse(bytes));
  });
  const port = await listenDuringTest(server);
  const broker: FakeBroker = {
    url: `mqtt://127.0.0.1:${port}`,
    published: [],
    connects: 0,
    clientIds: [],
    mostUnacknowledged: 0,
    onPublish: (published) => published.ack(),
    onSubscribe: () => 1,
    subscribed: [],
    send(topic, payload, properties = {}) {
      const packet = {
        cmd: 'publish',
        topic,
        payload,
        qos: 0,
        dup: false,
        retain: false,
        properties,
      } as const;
      for (const socket of sockets)
        if (!socket.destroyed) socket.write(mqttPacket.generate(packet, { protocolVersion: 5 }));
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
  return broker;
}
