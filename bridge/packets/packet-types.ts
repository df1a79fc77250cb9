// The packets that a broker may send: their types, names and flags [MQTT-2.1.2, 2.1.3]. Pure.
import type { QoS } from '../../functions/contract/message.ts';
import { type Malformed, malformed, protocolError } from './malformed.ts';

export const packetType = {
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  suback: 9,
  unsuback: 11,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(packetType).map(([name, type]) => [type, name.toUpperCase()]),
);

/** Flags that a packet has to have; PUBLISH has its own [MQTT-2.1.3-1]. */
const flagsOf = (type: number) => (type === packetType.pubrel ? 2 : 0);

/** Whether a packet that a broker sends may begin with this byte. */
export function isFromServer(first: number): boolean {
  const type = first >> 4;
  return type === packetType.publish || (type in names && (first & 0xf) === flagsOf(type));
}

/** The name of a packet that brokers send. */
export function nameOf(type: number): string {
  return names[type] ?? `type ${type}`;
}

/** Why no packet of a broker begins with this byte. */
export function headerFault(first: number): Malformed {
  const type = first >> 4;
  const flags = first & 0xf;
  const name = names[type];
  if (name === undefined)
    return protocolError(`a broker sends no packet of type ${type} (0x${first.toString(16)})`);
  return malformed(`${name} with the flags ${flags}, which are ${flagsOf(type)} [MQTT-2.1.3-1]`);
}

/**
 * The first two bytes of the acknowledgement of a PUBLISH: PUBACK, or PUBREC at QoS 2. The packet id follows; in MQTT 5
 * too, where a missing reason code means success.
 */
export function acknowledgementHeader(qos: QoS): number {
  return qos === 2 ? 0x5002 : 0x4002;
}
