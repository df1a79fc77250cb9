// What the server sends besides PUBLISH, written by mqtt-packet.
import type { Packet } from 'mqtt-packet';
import { generate } from '../../../bridge/base/mqtt-packet.ts';
import type { Version } from './connect.ts';
import { Type } from './frames.ts';

/** Properties as mqtt-packet calls them; `undefined` ones are left out. */
export type ConnackProperties = NonNullable<Extract<Packet, { cmd: 'connack' }>['properties']>;

export const pingresp = Buffer.from([0xd0, 0x00]);

/** `code` is a reason code on MQTT 5 and a return code before. MQTT 3.1 has no word for a session that is there. */
export function connack(
  version: Version,
  code: number,
  sessionPresent = false,
  properties?: ConnackProperties,
): Buffer {
  return version === 5
    ? written(
        { cmd: 'connack', reasonCode: code, sessionPresent, ...(properties && { properties }) },
        5,
      )
    : written(
        { cmd: 'connack', returnCode: code, sessionPresent: sessionPresent && version === 4 },
        version,
      );
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP; the reason is told on MQTT 5 alone. */
export function acknowledgement(
  type: number,
  version: Version,
  packetId: number,
  reason: number,
): Buffer {
  const first = (type << 4) | (type === Type.pubrel ? 0x02 : 0);
  // The commonest packets of all.
  if (reason === 0 || version !== 5) return Buffer.from([first, 2, packetId >> 8, packetId & 0xff]);
  return Buffer.from([first, 3, packetId >> 8, packetId & 0xff, reason]);
}

export function suback(version: Version, packetId: number, granted: number[]): Buffer {
  return written({ cmd: 'suback', messageId: packetId, granted }, version);
}

export function unsuback(version: Version, packetId: number, granted: number[]): Buffer {
  return written({ cmd: 'unsuback', messageId: packetId, granted }, version);
}

/** MQTT 5 alone has one from the server. */
export function disconnect(reason: number): Buffer {
  return Buffer.from([0xe0, 1, reason]);
}

const written = (packet: Packet, version: Version) =>
  generate(packet, { protocolVersion: version });
