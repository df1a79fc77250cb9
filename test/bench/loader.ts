// The load generator, a process of its own: publishes at QoS 1, as fast as the broker takes it or at a steady rate.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { nowMicros, payloadOf, topicOf } from './payload.ts';

export interface LoaderOptions {
  readonly brokerPort: number;
  readonly messages: number;
  /** Absent: as fast as the broker acknowledges. */
  readonly messagesPerSecond?: number;
  /** 1,000 where absent. */
  readonly topics?: number;
}

/** What the loader tells its parent when the broker has acknowledged everything. */
export interface Loaded {
  readonly published: number;
  readonly seconds: number;
}

/** Unacknowledged at once; packet ids are 16 bits. */
const maxInFlight = 20_000;
const maxWrite = 1000;

/**
 * A bare socket instead of MQTT.js, which would be the bottleneck. In MQTT 3.1.1 with keep-alive 0 a publisher
 * gets CONNACK and PUBACKs only, all of 4 bytes: so the acknowledgements are counted by their length.
 */
async function load({
  brokerPort,
  messages,
  messagesPerSecond,
  topics,
}: LoaderOptions): Promise<Loaded> {
  const socket = connect(brokerPort, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    generate({ cmd: 'connect', clientId: 'loader', protocolVersion: 4, clean: true, keepalive: 0 }),
  );
  let sent = 0;
  const acknowledged = () => socket.bytesRead / 4 - 1;
  const startMicros = nowMicros();
  const due = () =>
    messagesPerSecond === undefined
      ? messages
      : Math.min(messages, ((nowMicros() - startMicros) * messagesPerSecond) / 1_000_000);

  function sendDue(): void {
    while (sent < due() && sent - acknowledged() < maxInFlight && !socket.writableNeedDrain) {
      const upTo = Math.min(due(), sent + maxWrite);
      socket.cork();
      for (; sent < upTo; sent++) publish(socket, sent, topics);
      socket.uncork();
    }
  }
  socket.on('data', sendDue);
  socket.on('drain', sendDue);
  const pace = setInterval(sendDue, 1);
  while (acknowledged() < messages) await once(socket, 'data');
  clearInterval(pace);
  socket.end();
  return { published: sent, seconds: (nowMicros() - startMicros) / 1_000_000 };
}

function publish(socket: Socket, sequence: number, topics: number | undefined): void {
  socket.write(
    generate({
      cmd: 'publish',
      topic: topicOf(sequence, topics),
      payload: payloadOf(sequence, nowMicros()),
      qos: 1,
      messageId: (sequence % 65_535) + 1,
      retain: false,
      dup: false,
    }),
  );
}

process.on('disconnect', () => process.exit(0));
process.send?.(await load(JSON.parse(process.argv[2] ?? '')));
process.disconnect();
