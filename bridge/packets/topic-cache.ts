// Topics that came before, found by their bytes: devices send to the same ones again and again, and a string that is there
// already takes no decoding, no memory, and no hash where it is looked up.

/** Room for so many topics. One that has the place of another takes it. */
const size = 4096;
/** A longer topic is not kept. */
const maxBytes = 128;

interface Known {
  readonly bytes: Buffer;
  readonly topic: string;
}

export class TopicCache {
  readonly #known: (Known | undefined)[] = new Array(size).fill(undefined);

  /** The topic in these bytes; undefined where it is not known, or its bytes are not those of the string. */
  find(bytes: Buffer, start: number, end: number): string | undefined {
    const known = this.#known[placeOf(bytes, start, end)];
    if (known === undefined || known.bytes.length !== end - start) return undefined;
    const own = known.bytes;
    for (let index = 0; index < own.length; index++)
      if (own[index] !== bytes[start + index]) return undefined;
    return known.topic;
  }

  keep(topic: string, bytes: Buffer, start: number, end: number): void {
    if (end - start > maxBytes) return;
    this.#known[placeOf(bytes, start, end)] = {
      bytes: Buffer.from(bytes.subarray(start, end)),
      topic,
    };
  }
}

/** FNV-1a. */
function placeOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return (hash ^ (hash >>> 12)) & (size - 1);
}
