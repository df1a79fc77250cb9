// What a session's deliveries hold: a place in its window until they are settled, and memory of the process until
// their PUBACK has left, or it is known that they will not come again.
import type { Account } from '../memory/budget.ts';
import type { Received } from './inbound.ts';

export interface HeldDeliveriesOptions {
  /** Maximum unacknowledged deliveries; the receive maximum. */
  readonly window: number;
  /** Maximum bytes of deliveries that are not settled. */
  readonly maxWindowBytes: number;
  /** Of the route, for deliveries that are not settled. */
  readonly memory: Account;
}

export class HeldDeliveries {
  readonly #window: number;
  readonly #maxWindowBytes: number;
  readonly #memory: Account;
  /** Settled since the last flush; their PUBACK may have to wait. */
  #settledLarge: Received[] = [];
  #unsettled = 0;
  #unsettledBytes = 0;
  /** Reading is stopped until memory has room. */
  #awaitsMemory = false;

  constructor({ window, maxWindowBytes, memory }: HeldDeliveriesOptions) {
    this.#window = window;
    this.#maxWindowBytes = maxWindowBytes;
    this.#memory = memory;
  }

  /** Deliveries that are not settled. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Whether what is not settled fills the window. */
  get isFull(): boolean {
    return this.#unsettled >= this.#window || this.#unsettledBytes >= this.#maxWindowBytes;
  }

  hold({ bytes, memoryBytes }: Received): void {
    this.#unsettled++;
    this.#unsettledBytes += bytes;
    this.#memory.take(memoryBytes);
  }

  settled(received: Received): void {
    this.#release(received);
    if (!received.isKept) this.#giveBack(received);
    else if (received.isLarge) this.#settledLarge.push(received);
  }

  /** It could not be kept, and has to come again. */
  giveUp(received: Received): void {
    this.#release(received);
    this.#giveBack(received);
  }

  /** Until its PUBACK has left, or it is known that it will not come again. */
  keep(received: Received): void {
    received.isKept = true;
    received.connection.window.add(received);
  }

  /** It will not come again. */
  forget(received: Received): void {
    received.isKept = false;
    if (received.settled) this.#giveBack(received);
  }

  /** The PUBACKs of `released` have left. What is settled and waits for others keeps no more than it needs. */
  acknowledged(released: readonly Received[]): void {
    let bytes = 0;
    for (const received of released) {
      bytes += received.memoryBytes;
      received.memoryBytes = 0;
      received.isKept = false;
    }
    for (const received of this.#settledLarge) if (received.isKept) bytes += received.condense();
    this.#settledLarge = [];
    if (bytes > 0) this.#memory.give(bytes);
  }

  fits({ memoryBytes }: Received): boolean {
    return this.#memory.fits(memoryBytes);
  }

  /** Calls `readOn`. Another route may give memory back: what this one settles need not be enough. */
  whenFits({ memoryBytes }: Received, readOn: () => void): void {
    if (this.#awaitsMemory) return;
    this.#awaitsMemory = true;
    this.#memory.whenFits(memoryBytes, () => {
      this.#awaitsMemory = false;
      readOn();
    });
  }

  #release({ bytes }: Received): void {
    this.#unsettled--;
    this.#unsettledBytes -= bytes;
  }

  #giveBack(received: Received): void {
    this.#memory.give(received.memoryBytes);
    received.memoryBytes = 0;
  }
}
