// A small raw broker that keeps the session of one client, and loses subscriptions or sessions as a test says.
import { createServer, type Socket } from 'node:net';
import mqttPacket, { type ISubscribePacket, type Packet } from 'mqtt-packet';
import { listenDuringTest } from '../../support/listen-during-test.ts';

export interface ForgetfulBroker {
  readonly url: string;
  connects: number;
  /** Each subscription that was asked for, in order; it brings nothing. */
  readonly subscribes: ISubscribePacket['subscriptions'][number][];
  /** Each filter of UNSUBSCRIBE. */
  readonly unsubscribes: string[];
  /** From now on CONNACK says Session Present 0. */
  losesSessions: boolean;
  /** Ends all connections. */
  cut(): void;
}

export async function startForgetfulBroker({
  version,
  sessionExpirySeconds,
}: {
  readonly version: 4 | 5;
  /** Stands in CONNACK. */
  readonly sessionExpirySeconds?: number;
}): Promise<ForgetfulBroker> {
  const sockets = new Set<Socket>();
  const known = new Set<string>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const parser = mqttPacket.parser({ protocolVersion: version });
    const send = (packet: Packet) => {
      if (!socket.destroyed)
        socket.write(mqttPacket.generate(packet, { protocolVersion: version }));
    };
    parser.on('packet', (packet) => {
      const { messageId = 0 } = packet;
      if (packet.cmd === 'connect') {
        broker.connects++;
        const sessionPresent = known.has(packet.clientId) && !broker.losesSessions;
        known.add(packet.clientId);
        const properties =
          sessionExpirySeconds === undefined
            ? {}
            : { properties: { sessionExpiryInterval: sessionExpirySeconds } };
        send({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent, ...properties });
      } else if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' });
      else if (packet.cmd === 'subscribe') {
        broker.subscribes.push(...packet.subscriptions);
        send({ cmd: 'suback', messageId, granted: packet.subscriptions.map(() => 1) });
      } else if (packet.cmd === 'unsubscribe') {
        broker.unsubscribes.push(...packet.unsubscriptions);
        send({ cmd: 'unsuback', messageId, granted: packet.unsubscriptions.map(() => 0) });
      }
    });
    socket.on('data', (bytes) => parser.parse(bytes));
  });
  const port = await listenDuringTest(server);
  const broker: ForgetfulBroker = {
    url: `mqtt://127.0.0.1:${port}`,
    connects: 0,
    subscribes: [],
    unsubscribes: [],
    losesSessions: false,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
  return broker;
}
