// Answers leave in the order of what they answer, whichever is ready first [MQTT-4.6.0-2] [MQTT-4.6.0-3].

interface Slot {
  bytes: Buffer | undefined;
  /** Called when the answer is sent. */
  readonly onSent: (() => void) | undefined;
}

export class OrderedAnswers {
  readonly #send: (bytes: Buffer) => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #onRoom: () => void;
  readonly #slots: Slot[] = [];

  constructor(
    send: (bytes: Buffer) => void,
    onFailure: (error: unknown) => void,
    onRoom: () => void,
  ) {
    this.#onRoom = onRoom;
    this.#send = send;
    this.#onFailure = onFailure;
  }

  /** Answers that wait. */
  get size(): number {
    return this.#slots.length;
  }

  /** Sends the bytes when `ready` is resolved, and all earlier answers are sent. A rejection goes to `onFailure`. */
  add(bytes: Buffer, ready?: Promise<unknown>, onSent?: () => void): void {
    if (ready === undefined && this.#slots.length === 0) {
      this.#send(bytes);
      onSent?.();
      return;
    }
    const slot: Slot = { bytes: ready === undefined ? bytes : undefined, onSent };
    this.#slots.push(slot);
    ready?.then(() => {
      slot.bytes = bytes;
      this.#drain();
    }, this.#onFailure);
  }

  #drain(): void {
    for (let slot = this.#slots[0]; slot?.bytes !== undefined; slot = this.#slots[0]) {
      this.#slots.shift();
      this.#send(slot.bytes);
      slot.onSent?.();
    }
    if (this.#slots.length === 0) this.#onRoom();
  }
}
