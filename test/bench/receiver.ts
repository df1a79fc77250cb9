// The ceiling, a process of its own: bare MQTT.js that receives and acknowledges, and does nothing else.
import mqtt from 'mqtt';
import { startCounting } from './counting.ts';
import { topicFilter } from './payload.ts';

export interface ReceiverOptions {
  readonly brokerUrl: string;
  readonly clientId: string;
  readonly receiveMaximum: number;
  /** `library` lets MQTT.js acknowledge; `bulk` withholds that and writes many PUBACKs at once, as bridge/session/session.ts does. */
  readonly acknowledge: 'library' | 'bulk';
}

const { brokerUrl, clientId, receiveMaximum, acknowledge }: ReceiverOptions = JSON.parse(
  process.argv[2] ?? '',
);
const withheld = new Error('PUBACK withheld');
const counting = startCounting();

/** The runner says what it expects before the first message may come. */
await new Promise((resolve) => process.once('message', resolve));
const client = mqtt.connect(brokerUrl, {
  clientId,
  clean: false,
  protocolVersion: 5,
  properties: { sessionExpiryInterval: 3600, receiveMaximum },
});

function count(messages: number): void {
  counting.received(messages);
  counting.stored(messages, []);
}

if (acknowledge === 'library') {
  client.on('message', () => count(1));
} else {
  let packetIds: number[] = [];
  const flush = () => {
    const bytes = Buffer.allocUnsafe(packetIds.length * 4);
    let offset = 0;
    for (const packetId of packetIds) {
      offset = bytes.writeUInt16BE(0x4002, offset);
      offset = bytes.writeUInt16BE(packetId, offset);
    }
    client.stream.write(bytes);
    count(packetIds.length);
    packetIds = [];
  };
  client.handleMessage = ({ messageId = 0 }, done) => {
    if (packetIds.length === 0) setImmediate(flush);
    packetIds.push(messageId);
    (done as (error: Error) => void)(withheld);
  };
}
client.on('connect', () => client.subscribe(topicFilter, { qos: 1 }));
process.on('SIGTERM', () => void client.endAsync().then(() => process.exit(0)));
