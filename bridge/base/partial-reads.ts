// What has come of packets and bodies that are not whole yet, of all connections together: it takes memory, and nobody
// is known to be good by what he begins.

export class PartialReads {
  readonly #maxBytes: number;
  #bytes = 0;
  /** By how a connection is closed; the one that began first is the first. */
  readonly #held = new Map<() => void, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A connection has so many bytes of one now, or 0 for none. Closes others, or it, where all have too many. */
  note(close: () => void, bytes: number): void {
    const before = this.#held.get(close) ?? 0;
    this.#bytes += bytes - before;
    // Fewer than before are another one's, which goes behind.
    if (bytes < before || bytes === 0) this.#held.delete(close);
    if (bytes > 0) this.#held.set(close, bytes);
    for (const [closeFirst, held] of this.#held) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#held.delete(closeFirst);
      this.#bytes -= held;
      closeFirst();
    }
  }
}
