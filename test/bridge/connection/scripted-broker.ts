// A broker that answers each packet as a script says, and keeps what it got.
import { createServer } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { listenDuringTest } from '../../support/listen-during-test.ts';

export interface ScriptedBroker {
  readonly url: string;
  readonly received: readonly Packet[];
}

/** Speaks MQTT 5; undefined is silence. */
export async function startScriptedBroker(
  answer: (packet: Packet) => Packet | 'close' | undefined,
): Promise<ScriptedBroker> {
  const received: Packet[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const parser = mqttPacket.parser({ protocolVersion: 5 });
    parser.on('packet', (packet) => {
      received.push(packet);
      const said = answer(packet);
      if (said === 'close') socket.destroy();
      else if (said !== undefined) socket.write(mqttPacket.generate(said, { protocolVersion: 5 }));
    });
    socket.on('data', (bytes) => parser.parse(bytes));
  });
  const port = await listenDuringTest(server);
  return { url: `mqtt://127.0.0.1:${port}`, received };
}
