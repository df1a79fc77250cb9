// DUP for aedes 1.2, which sends an unacknowledged message again without it, against [MQTT-3.3.1-1]: a client
// could not tell it from a new message that got the same packet id and says the same.
import { Readable } from 'node:stream';
import type { Aedes, Client } from 'aedes';

interface StoredPacket {
  /** Set once the message has been sent. */
  readonly messageId?: number;
  dup: boolean;
}

interface Internals {
  persistence: { outgoingStream: (client: Client) => AsyncIterable<StoredPacket> };
}

/** Makes a broker set DUP on what a resumed session gets again. */
export function markRedelivered(aedes: Aedes): void {
  const { persistence } = aedes as unknown as Internals;
  const outgoingStream = persistence.outgoingStream.bind(persistence);
  async function* marked(packets: AsyncIterable<StoredPacket>) {
    for await (const packet of packets) {
      if (packet.messageId !== undefined && packet.messageId > 0) packet.dup = true;
      yield packet;
    }
  }
  persistence.outgoingStream = (client) => Readable.from(marked(outgoingStream(client)));
}
