// OneNET as a broker for tests: MQTT 3.1.1 on mqtt-packet, held to the rules of onenet-rules.ts. It ends connections
// whose token expires, and counts what a well-behaved client never makes it do.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import mqttPacket, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet';
import { matchesFilter } from '../../functions/contract/topic.ts';
import {
  connectVerdict,
  type OneNetPlatform,
  publishFault,
  subscribeFault,
} from './onenet-rules.ts';

export interface OneNetBroker {
  readonly url: string;
  /** Each CONNECT: who, and why it was not let in. */
  readonly connects: { readonly clientId: string; readonly refusal: string | undefined }[];
  /** What it ended connections for, or refused to subscribe to; never a token. */
  readonly violations: string[];
  /** Connections that it ended because their token expired. */
  expired: number;
  /** All publishes that it took, in order. */
  readonly published: IPublishPacket[];
  /** Client ids that are connected. */
  online(): string[];
  /** As the platform does it: a message to all who subscribe. */
  publish(topic: string, payload: string, qos?: 0 | 1): void;
  close(): Promise<void>;
}

interface Queued {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1;
}

interface Session {
  readonly filters: Map<string, 0 | 1>;
  readonly unacknowledged: Map<number, Queued>;
  waiting: Queued[];
  nextId: number;
  socket: Socket | undefined;
}

export async function startOneNetBroker(platform: OneNetPlatform): Promise<OneNetBroker> {
  const sessions = new Map<string, Session>();
  const sockets = new Set<Socket>();
  const keepsSessions = platform.keepsSessions ?? platform.platform === 'device';

  function send(socket: Socket | undefined, packet: Packet): void {
    if (socket?.writable) socket.write(mqttPacket.generate(packet));
  }

  function deliver(session: Session, message: Queued, dup = false, id?: number): void {
    if (session.socket === undefined) {
      if (message.qos === 1) session.waiting.push(message);
      return;
    }
    if (id === undefined) session.nextId = (session.nextId % 65_535) + 1;
    const messageId = id ?? session.nextId;
    if (message.qos === 1) session.unacknowledged.set(messageId, message);
    send(session.socket, { cmd: 'publish', retain: false, dup, messageId, ...message });
  }

  function route({ topic, payload, qos }: Queued): void {
    for (const session of sessions.values()) {
      const granted = [...session.filters].find(([filter]) => matchesFilter(filter, topic))?.[1];
      if (granted !== undefined)
        deliver(session, { topic, payload, qos: qos === 1 && granted === 1 ? 1 : 0 });
    }
  }

  function open(clientId: string, clean: boolean, socket: Socket): Session {
    const kept = sessions.get(clientId);
    kept?.socket?.destroy();
    const session: Session =
      kept !== undefined && !clean
        ? kept
        : { filters: new Map(), unacknowledged: new Map(), waiting: [], nextId: 0, socket };
    session.socket = socket;
    sessions.set(clientId, session);
    send(socket, {
      cmd: 'connack',
      returnCode: 0,
      sessionPresent: kept !== undefined && !clean,
    });
    for (const [id, message] of session.unacknowledged) deliver(session, message, true, id);
    for (const message of session.waiting.splice(0)) deliver(session, message);
    return session;
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const parser = mqttPacket.parser();
    let clientId = '';
    let session: Session | undefined;
    let expiry: NodeJS.Timeout | undefined;

    function end(reason: string): void {
      broker.violations.push(`${clientId}: ${reason}`);
      socket.destroy();
    }

    function onConnect(packet: IConnectPacket): void {
      clientId = packet.clientId;
      const verdict = connectVerdict({ ...platform, keepsSessions }, packet);
      const refusal = verdict.kind === 'accepted' ? undefined : verdict.reason;
      broker.connects.push({ clientId, refusal });
      if (verdict.kind === 'closed') return end(verdict.reason);
      if (verdict.kind === 'refused') {
        send(socket, { cmd: 'connack', returnCode: verdict.code, sessionPresent: false });
        socket.end();
        return;
      }
      session = open(clientId, packet.clean !== false, socket);
      if (verdict.expiresAtSeconds !== undefined) {
        const leftMs = verdict.expiresAtSeconds * 1000 - Date.now();
        expiry = setTimeout(() => {
          broker.expired++;
          socket.destroy();
        }, leftMs);
      }
    }

    function onPublish(packet: IPublishPacket): void {
      const fault = publishFault(platform, clientId, packet);
      if (fault !== undefined) return end(`publish to ${packet.topic}: ${fault}`);
      broker.published.push(packet);
      const { topic, messageId = 0 } = packet;
      if (packet.qos === 1) send(socket, { cmd: 'puback', messageId });
      route({ topic, payload: packet.payload, qos: packet.qos === 1 ? 1 : 0 });
      // The platform says what it made of data and of answers.
      if (/\/(dp\/post\/json|cmd\/response\/[^/]+)$/.test(topic))
        route({ topic: `${topic}/accepted`, payload: '{"id":1}', qos: 0 });
    }

    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') return onConnect(packet);
      if (session === undefined) return end('no CONNECT');
      const { messageId = 0 } = packet;
      if (packet.cmd === 'publish') onPublish(packet);
      else if (packet.cmd === 'puback') session.unacknowledged.delete(messageId);
      else if (packet.cmd === 'pingreq') send(socket, { cmd: 'pingresp' });
      else if (packet.cmd === 'disconnect') socket.end();
      else if (packet.cmd === 'subscribe') {
        if (packet.subscriptions.length > 8) return end('more than 8 filters');
        const granted = packet.subscriptions.map(({ topic, qos }) => {
          const fault = subscribeFault(platform, clientId, topic);
          if (fault !== undefined) {
            broker.violations.push(`${clientId}: subscribe to ${topic}: ${fault}`);
            return 0x80;
          }
          const grantedQoS = keepsSessions && qos > 0 ? 1 : 0;
          session?.filters.set(topic, grantedQoS);
          return grantedQoS;
        });
        send(socket, { cmd: 'suback', messageId, granted });
      } else if (packet.cmd === 'unsubscribe') {
        for (const topic of packet.unsubscriptions) session.filters.delete(topic);
        send(socket, { cmd: 'unsuback', messageId, granted: [] });
      } else end(packet.cmd);
    });
    parser.on('error', () => end('no MQTT'));
    socket.on('data', (bytes) => parser.parse(bytes));
    socket.on('close', () => {
      clearTimeout(expiry);
      if (session?.socket !== socket) return;
      session.socket = undefined;
      if (!keepsSessions) sessions.delete(clientId);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const broker: OneNetBroker = {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connects: [],
    violations: [],
    expired: 0,
    published: [],
    online: () => [...sessions].flatMap(([id, { socket }]) => (socket ? [id] : [])),
    publish: (topic, payload, qos = 0) => route({ topic, payload, qos }),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return broker;
}
