// The bytes of one packet of a server, read strictly.

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Reader {
  position: number;
  readonly bytes: Buffer;

  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes;
    this.position = position;
  }

  fail(rule: string): never {
    throw new Error(`the server sent ${this.bytes.toString('hex')}: ${rule}`);
  }

  get rest(): number {
    return this.bytes.length - this.position;
  }

  take(length: number): Buffer {
    if (this.rest < length) this.fail('it ends too early');
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  two(): number {
    return this.take(2).readUInt16BE();
  }

  four(): number {
    return this.take(4).readUInt32BE();
  }

  variable(): number {
    let value = 0;
    for (let place = 0; place < 4; place++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 128 ** place;
      if (byte & 0x80) continue;
      if (place > 0 && byte === 0) this.fail('a number is longer than it has to be [MQTT-1.5.5-1]');
      return value;
    }
    return this.fail('a number is longer than four bytes');
  }

  binary(): Buffer {
    return this.take(this.two());
  }

  text(): string {
    const text = strictText.decode(this.binary());
    if (text.includes('\0')) this.fail('text contains U+0000 [MQTT-1.5.4-2]');
    return text;
  }
}
