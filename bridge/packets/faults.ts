// What is wrong with a packet that is no PUBLISH, before MQTT.js sees it: its parser reports an error and goes on with
// whatever follows, or reads the rest at the wrong place. Pure.
import type { Packet } from './framer.ts';
import { Malformed, malformed, protocolError } from './malformed.ts';
import { nameOf, packetType } from './packet-types.ts';
import { readProperties } from './properties.ts';
import { reasonText } from './reason-codes.ts';

/** Codes that a packet of MQTT 5 may carry. */
const codesOf: Readonly<Record<number, readonly number[]>> = {
  [packetType.puback]: [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  [packetType.pubrec]: [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  [packetType.pubrel]: [0, 0x92],
  [packetType.pubcomp]: [0, 0x92],
  [packetType.suback]: [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  [packetType.unsuback]: [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  [packetType.disconnect]: [
    0, 4, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
};
/** Codes of a SUBACK of MQTT 3.1.1 [MQTT-3.9.3-2]. */
const oldSubackCodes = [0, 1, 2, 0x80];

/** What is wrong with a packet that is no PUBLISH; undefined where nothing is. */
export function faultOf(packet: Packet, protocolVersion: 4 | 5): Malformed | undefined {
  const { type, body, end } = packet;
  const bytes = end - body;
  const short = () => malformed(`${nameOf(type)} of ${bytes} bytes after its fixed header`);
  switch (type) {
    case packetType.connack:
      return bytes < 2 ? short() : connackFault(packet, protocolVersion);
    case packetType.puback:
    case packetType.pubrec:
    case packetType.pubrel:
    case packetType.pubcomp:
      if (protocolVersion === 4) return bytes === 2 ? undefined : short();
      if (bytes === 2) return undefined;
      return bytes < 2 ? short() : codeFault(packet, body + 2);
    case packetType.suback:
    case packetType.unsuback:
      if (type === packetType.unsuback && protocolVersion === 4)
        return bytes === 2 ? undefined : short();
      return bytes < 3 ? short() : codesFault(packet, protocolVersion);
    case packetType.pingresp:
      return bytes === 0 ? undefined : short();
    case packetType.disconnect:
      if (protocolVersion === 4) return protocolError('MQTT 3.1.1 has no DISCONNECT of a broker');
      return bytes === 0 ? undefined : codeFault(packet, body);
    default:
      // AUTH: this bridge asks for no enhanced authentication [MQTT-4.12.0-1].
      return protocolError('AUTH without an authentication method in CONNECT');
  }
}

function connackFault({ bytes, body, end }: Packet, protocolVersion: 4 | 5): Malformed | undefined {
  if ((bytes[body] ?? 0) > 1) return malformed('CONNACK with reserved flags [MQTT-3.2.2-1]');
  // A broker without MQTT 5 answers in its own form.
  if (protocolVersion === 4 || end - body === 2) return undefined;
  return lastPropertiesFault('CONNACK', bytes, body + 2, end);
}

/** A reason code at `at`, and properties that may be left out. */
function codeFault({ type, bytes, end }: Packet, at: number): Malformed | undefined {
  const name = nameOf(type);
  const code = bytes[at] ?? 0;
  if (codesOf[type]?.includes(code) !== true) return unknownCode(name, code);
  return at + 1 === end ? undefined : lastPropertiesFault(name, bytes, at + 1, end);
}

/** A list of codes after packet id and properties. */
function codesFault(
  { type, bytes, body, end }: Packet,
  protocolVersion: 4 | 5,
): Malformed | undefined {
  const name = nameOf(type);
  let at: number | Malformed = body + 2;
  if (protocolVersion === 5) at = readProperties(name, bytes, at, end, unread, undefined);
  if (at instanceof Malformed) return at;
  if (at === end) return malformed(`${name} without a code`);
  const codes = protocolVersion === 5 ? codesOf[type] : oldSubackCodes;
  const unknown = bytes.subarray(at, end).find((code) => codes?.includes(code) !== true);
  return unknown === undefined ? undefined : unknownCode(name, unknown);
}

/** Properties that nothing may follow. */
function lastPropertiesFault(name: string, bytes: Buffer, at: number, end: number) {
  const last = readProperties(name, bytes, at, end, unread, undefined);
  if (last instanceof Malformed) return last;
  return last === end ? undefined : malformed(`${name} with bytes after its properties`);
}

/** MQTT.js reads the values. */
function unread(): void {}

function unknownCode(name: string, code: number): Malformed {
  return malformed(`${name} with the code ${reasonText(code)}, which is none of its own`);
}
