// Packets as bytes, written by hand: also those that no library would make.

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  do {
    const low = value % 0x80;
    value = Math.floor(value / 0x80);
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return Buffer.from(bytes);
}

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
export const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** Properties with their length. */
export function properties(...list: readonly (readonly [id: number, value: Buffer])[]): Buffer {
  const bytes = Buffer.concat(list.flatMap(([id, value]) => [Buffer.from([id]), value]));
  return Buffer.concat([varint(bytes.length), bytes]);
}

export const pair = (name: string, value: string): [number, Buffer] => [
  38,
  Buffer.concat([text(name), text(value)]),
];

/** A packet of these parts. */
export function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), varint(body.length), body]);
}

/** A PUBLISH at QoS 1; `properties` are absent in MQTT 3.1.1. */
export function publish(
  packetId: number,
  topic: string | Buffer,
  payload: string | Buffer,
  { properties: given = properties(), first = 0x32 }: { properties?: Buffer; first?: number } = {},
): Buffer {
  const id = (first & 6) === 0 ? Buffer.alloc(0) : int16(packetId);
  return packet(first, text(topic), id, given, Buffer.from(payload));
}
