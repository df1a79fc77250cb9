// A broker that answers each packet as a script says, and keeps what it got.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { onTestFinished } from 'vitest';

export interface ScriptedBroker {
  readonly url: string;
  readonly received: readonly Packet[];
}

/** Speaks MQTT 5; undefined is silence. */
export async function startScriptedBroker(
  answer: (packet: Packet) => Packet | 'close' | undefined,
): Promise<ScriptedBroker> {
  const received: Packet[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}
